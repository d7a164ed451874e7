using System.Runtime.InteropServices;

namespace NicHost.Contracts.Memory;

/// <summary>
/// A run of host-mapped memory: the layout of the kernel's <c>struct iovec</c>, so that an array of segments is handed to
/// <c>sendmsg</c>, <c>readv</c> or <c>writev</c> as it stands.
/// </summary>
/// <remarks>
/// Segments that a device hands out lie inside memory that it has checked. The bytes belong to the guest, which may change them at
/// any time: copy a field once, check the copy, use the copy.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Segment
{
    /// <summary>First byte.</summary>
    public byte* Base;

    /// <summary>Length in bytes.</summary>
    public nuint Length;

    /// <summary>Makes a segment of <paramref name="length"/> bytes at <paramref name="address"/>.</summary>
    public Segment(byte* address, int length)
    {
        Base = address;
        Length = (nuint)length;
    }

    /// <summary>The bytes as a span. The caller keeps the memory mapped while the span lives.</summary>
    public readonly Span<byte> Span => new(Base, checked((int)Length));
}
