using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>struct iovec: one run of memory.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct IoVec
{
    /// <summary>Where it starts.</summary>
    public nint Base;

    /// <summary>How many bytes.</summary>
    public nuint Length;

    /// <summary>Names a run of memory that the caller keeps in place while the kernel uses it.</summary>
    /// <param name="address">Where it starts.</param>
    /// <param name="length">How many bytes.</param>
    public IoVec(nint address, nuint length)
    {
        Base = address;
        Length = length;
    }

    /// <summary>Names a run of memory that the caller keeps in place while the kernel uses it.</summary>
    /// <param name="address">Where it starts.</param>
    /// <param name="length">How many bytes; not negative.</param>
    public unsafe IoVec(void* address, int length)
    {
        Base = (nint)address;
        Length = (nuint)length;
    }

    /// <summary>The most entries one call takes (UIO_MAXIOV).</summary>
    public const int MaxCount = 1024;
}
