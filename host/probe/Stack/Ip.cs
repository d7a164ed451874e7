using System.Buffers.Binary;
using System.Net;
using NicHost.Contracts.Nics;

namespace NicHost.Probe.Stack;

/// <summary>An IPv4 or IPv6 address.</summary>
/// <param name="Value">As a number, first byte on the wire most significant; IPv4 in the low 32 bits.</param>
/// <param name="IsV6">Which.</param>
public readonly record struct Ip(UInt128 Value, bool IsV6)
{
    /// <summary>0.0.0.0.</summary>
    public static Ip AnyV4 => V4(0);

    /// <summary>255.255.255.255.</summary>
    public static Ip Broadcast => V4(uint.MaxValue);

    /// <summary>ff02::1.</summary>
    public static Ip AllNodes => Parse("ff02::1");

    /// <summary>ff02::2.</summary>
    public static Ip AllRouters => Parse("ff02::2");

    /// <summary>ff02::1:2.</summary>
    public static Ip AllDhcpServers => Parse("ff02::1:2");

    /// <summary>Whether nothing is named: the default value or an unspecified address.</summary>
    public bool IsZero => Value == 0;

    /// <summary>Bytes on the wire.</summary>
    public int Size => IsV6 ? 16 : 4;

    /// <summary>fe80::/10.</summary>
    public bool IsLinkLocal => IsV6 && (uint)(Value >> 118) == 0x3fa;

    /// <summary>A group of either version, or the IPv4 broadcast.</summary>
    public bool IsGroup => IsV6 ? (uint)(Value >> 120) == 0xff : (uint)Value >> 28 == 0xe || (uint)Value == uint.MaxValue;

    /// <summary>From a number.</summary>
    public static Ip V4(uint value) => new(value, false);

    /// <summary>From a number.</summary>
    public static Ip V6(UInt128 value) => new(value, true);

    /// <summary>Reads 4 or 16 bytes.</summary>
    public static Ip Read(ReadOnlySpan<byte> bytes) => bytes.Length == 4
        ? V4(BinaryPrimitives.ReadUInt32BigEndian(bytes))
        : V6(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    /// <summary>Parses the usual notation.</summary>
    public static Ip Parse(string text) => From(IPAddress.Parse(text));

    /// <summary>From the framework's form.</summary>
    public static Ip From(IPAddress address) => Read(address.GetAddressBytes());

    /// <summary>The link-local address that a MAC gives (RFC 4291, appendix A).</summary>
    public static Ip LinkLocal(MacAddress mac) => V6(((UInt128)0xfe80 << 112) | InterfaceId(mac));

    /// <summary>The interface identifier that a MAC gives.</summary>
    public static UInt128 InterfaceId(MacAddress mac)
    {
        var value = mac.Value ^ 0x0200_0000_0000;
        return ((value >> 24) << 40) | (0xfffeUL << 24) | (value & 0xff_ffff);
    }

    /// <summary>The solicited-node group of an IPv6 address.</summary>
    public Ip SolicitedNode() => V6(Parse("ff02::1:ff00:0").Value | (Value & 0xff_ffff));

    /// <summary>Whether both share their first <paramref name="length"/> bits.</summary>
    public bool SharesPrefix(Ip other, int length) =>
        IsV6 == other.IsV6 && (length == 0 || (Value ^ other.Value) >> ((Size * 8) - length) == 0);

    /// <summary>Writes 4 or 16 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        if (IsV6) BinaryPrimitives.WriteUInt128BigEndian(destination, Value);
        else BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)Value);
    }

    /// <summary>To the framework's form; allocates.</summary>
    public IPAddress ToAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        CopyTo(bytes);
        return new IPAddress(bytes[..Size]);
    }

    /// <inheritdoc/>
    public override string ToString() => ToAddress().ToString();
}
