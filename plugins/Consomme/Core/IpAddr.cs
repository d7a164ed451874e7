using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace NicHost.Consomme.Core;

/// <summary>An IPv4 or IPv6 address in 16 bytes (IPv4 as ::ffff:a.b.c.d), comparable and hashable without allocation.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct IpAddr(ulong High, ulong Low) : IComparable<IpAddr>
{
    private const ulong MappedPrefix = 0x0000_ffff_0000_0000;

    public static IpAddr FromV4(uint hostOrder) => new(0, MappedPrefix | hostOrder);

    public static IpAddr FromV4(ReadOnlySpan<byte> wire) => FromV4(BinaryPrimitives.ReadUInt32BigEndian(wire));

    public static IpAddr FromV6(ReadOnlySpan<byte> wire) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(wire), BinaryPrimitives.ReadUInt64BigEndian(wire[8..]));

    public static IpAddr From(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var written);
        return written == 4 ? FromV4(bytes) : FromV6(bytes);
    }

    public bool IsV4 => High == 0 && (Low >> 32) == 0xffff;

    /// <summary>The IPv4 address in host order; only when <see cref="IsV4"/>.</summary>
    public uint V4 => (uint)Low;

    /// <summary>The IPv6 address as a number.</summary>
    public UInt128 V6 => new(High, Low);

    public static IpAddr FromV6(UInt128 address) => new((ulong)(address >> 64), (ulong)address);

    public bool IsUnspecified => IsV4 ? V4 == 0 : (High | Low) == 0;

    public bool IsLoopback => IsV4 ? V4 >> 24 == 127 : High == 0 && Low == 1;

    public bool IsMulticast => IsV4 ? V4 >> 28 == 0xe : High >> 56 == 0xff;

    public bool IsLinkLocal => IsV4 ? V4 >> 16 == 0xa9fe : High >> 54 == 0x3fa;

    public bool IsBroadcast => IsV4 && V4 == uint.MaxValue;

    /// <summary>Writes 4 or 16 bytes in wire order.</summary>
    /// <returns>How many.</returns>
    public int Write(Span<byte> destination)
    {
        if (IsV4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, V4);
            return 4;
        }
        WriteV6(destination);
        return 16;
    }

    public void WriteV6(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], Low);
    }

    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        return new IPAddress(bytes[..Write(bytes)]);
    }

    public int CompareTo(IpAddr other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    public override string ToString() => ToIPAddress().ToString();
}
