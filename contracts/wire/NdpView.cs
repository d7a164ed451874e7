using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>Option types of neighbour discovery.</summary>
public static class NdpOption
{
    /// <summary>Source link-layer address (RFC 4861 section 4.6.1).</summary>
    public const byte SourceLinkAddress = 1;
    /// <summary>Target link-layer address (RFC 4861 section 4.6.1).</summary>
    public const byte TargetLinkAddress = 2;
    /// <summary>Prefix information (RFC 4861 section 4.6.2).</summary>
    public const byte PrefixInformation = 3;
    /// <summary>MTU (RFC 4861 section 4.6.4).</summary>
    public const byte Mtu = 5;
    /// <summary>Nonce (RFC 3971 section 5.3.2, used by RFC 7527).</summary>
    public const byte Nonce = 14;
    /// <summary>Recursive DNS servers (RFC 8106 section 5.1).</summary>
    public const byte Rdnss = 25;
    /// <summary>DNS search list (RFC 8106 section 5.2).</summary>
    public const byte Dnssl = 31;
}

/// <summary>Flags of a neighbour advertisement (RFC 4861 section 4.4).</summary>
[Flags]
public enum NeighborFlags : byte
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Replace what is cached.</summary>
    Override = 0x20,
    /// <summary>The answer to a solicitation.</summary>
    Solicited = 0x40,
    /// <summary>The sender is a router.</summary>
    Router = 0x80,
}

/// <summary>Flags of a router advertisement (RFC 4861 section 4.2).</summary>
[Flags]
public enum RouterFlags : byte
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>More configuration (DNS) from DHCPv6.</summary>
    OtherConfiguration = 0x40,
    /// <summary>Addresses from DHCPv6.</summary>
    ManagedAddresses = 0x80,
}

/// <summary>Flags of a prefix information option (RFC 4861 section 4.6.2).</summary>
[Flags]
public enum PrefixFlags : byte
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Hosts may make addresses from the prefix (SLAAC).</summary>
    Autonomous = 0x40,
    /// <summary>The prefix is on the link.</summary>
    OnLink = 0x80,
}

/// <summary>
/// A neighbour discovery message (RFC 4861): the body of an ICMPv6 message of type 133 to 136. Whether hop limit and checksum are right
/// (255, section 7.1) is the caller's to check: both are outside of the message.
/// </summary>
public readonly ref struct NdpView
{
    // RFC 4861 sections 4.1 to 4.4
    private const int TypeAt = 0;
    private const int CodeAt = 1;
    private const int HopLimitAt = 4;
    private const int FlagsAt = 5;
    private const int LifetimeAt = 6;
    private const int ReachableAt = 8;
    private const int RetransmitAt = 12;
    private const int NeighborFlagsAt = 4;
    private const int TargetAt = 8;

    internal const int SolicitationLength = 8;
    internal const int RouterAdvertisementLength = 16;
    internal const int NeighborLength = 24;

    private readonly ReadOnlySpan<byte> _message;

    private NdpView(ReadOnlySpan<byte> message) => _message = message;

    /// <summary>Looks at a message.</summary>
    /// <param name="message">The whole ICMPv6 message.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when it is none of the four kinds, is cut, has a code, or an option makes no sense (then section 7.1 says to drop it).</returns>
    public static bool TryParse(ReadOnlySpan<byte> message, out NdpView view)
    {
        view = default;
        if (message.Length < IcmpView.HeaderLength || message[CodeAt] != 0) return false;
        int fixedLength = FixedLength(message[TypeAt]);
        if (fixedLength == 0 || message.Length < fixedLength) return false;
        NdpOptionReader options = new(message[fixedLength..]);
        while (options.MoveNext())
        {
        }

        if (!options.IsAtEnd) return false;
        view = new NdpView(message);
        return true;
    }

    /// <summary>An <see cref="Icmpv6Type"/>: 133 to 136.</summary>
    public byte Type => _message[TypeAt];

    /// <summary>Neighbour messages: the address asked for or told about. 0 in others.</summary>
    public UInt128 Target => _message.Length >= NeighborLength && FixedLength(Type) == NeighborLength
        ? BinaryPrimitives.ReadUInt128BigEndian(_message[TargetAt..])
        : UInt128.Zero;

    /// <summary>Neighbour advertisement: flags.</summary>
    public NeighborFlags NeighborFlags =>
        Type == Icmpv6Type.NeighborAdvertisement ? (NeighborFlags)_message[NeighborFlagsAt] : NeighborFlags.None;

    /// <summary>Router advertisement: hop limit for hosts, 0 for unspecified.</summary>
    public byte CurrentHopLimit => Type == Icmpv6Type.RouterAdvertisement ? _message[HopLimitAt] : (byte)0;

    /// <summary>Router advertisement: flags.</summary>
    public RouterFlags RouterFlags => Type == Icmpv6Type.RouterAdvertisement ? (RouterFlags)_message[FlagsAt] : RouterFlags.None;

    /// <summary>Router advertisement: seconds as a default router.</summary>
    public ushort RouterLifetime => Type == Icmpv6Type.RouterAdvertisement ? BinaryPrimitives.ReadUInt16BigEndian(_message[LifetimeAt..]) : (ushort)0;

    /// <summary>Router advertisement: milliseconds, 0 for unspecified.</summary>
    public uint ReachableTime => Type == Icmpv6Type.RouterAdvertisement ? BinaryPrimitives.ReadUInt32BigEndian(_message[ReachableAt..]) : 0;

    /// <summary>Router advertisement: milliseconds, 0 for unspecified.</summary>
    public uint RetransmitTime => Type == Icmpv6Type.RouterAdvertisement ? BinaryPrimitives.ReadUInt32BigEndian(_message[RetransmitAt..]) : 0;

    /// <summary>The options.</summary>
    public NdpOptionReader Options => new(_message[FixedLength(Type)..]);

    /// <summary>The MAC address in a source or target link-layer address option.</summary>
    /// <param name="option"><see cref="NdpOption.SourceLinkAddress"/> or <see cref="NdpOption.TargetLinkAddress"/>.</param>
    /// <param name="mac">The address in the low 48 bits.</param>
    /// <returns>False when there is no such option.</returns>
    public bool TryGetLinkAddress(byte option, out ulong mac)
    {
        NdpOptionReader options = Options;
        while (options.MoveNext())
        {
            if (options.Type != option) continue;
            mac = EthernetView.ReadMac(options.Data);
            return true;
        }

        mac = 0;
        return false;
    }

    private static int FixedLength(byte type) => type switch
    {
        Icmpv6Type.RouterSolicitation => SolicitationLength,
        Icmpv6Type.RouterAdvertisement => RouterAdvertisementLength,
        Icmpv6Type.NeighborSolicitation or Icmpv6Type.NeighborAdvertisement => NeighborLength,
        _ => 0,
    };
}

/// <summary>Walks the options of a neighbour discovery message (RFC 4861 section 4.6).</summary>
public ref struct NdpOptionReader
{
    private const int Unit = 8;
    private const int HeaderLength = 2;

    private ReadOnlySpan<byte> _rest;

    internal NdpOptionReader(ReadOnlySpan<byte> options)
    {
        _rest = options;
        Type = 0;
        Data = default;
    }

    /// <summary>The current option's type, an <see cref="NdpOption"/>.</summary>
    public byte Type { get; private set; }

    /// <summary>The current option's bytes behind type and length: always 6 + a multiple of 8.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    /// <summary>Whether all bytes were options.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Moves to the next option.</summary>
    /// <returns>False at the end, or where a length is zero or too large.</returns>
    public bool MoveNext()
    {
        if (_rest.Length < Unit) return false;
        int length = _rest[1] * Unit;
        if (length == 0 || length > _rest.Length) return false;
        Type = _rest[0];
        Data = _rest[HeaderLength..length];
        _rest = _rest[length..];
        return true;
    }

    /// <summary>Reads the current option as prefix information.</summary>
    /// <param name="prefix">The prefix.</param>
    /// <returns>False when it is something else or too short.</returns>
    public readonly bool TryReadPrefix(out NdpPrefix prefix)
    {
        prefix = default;
        if (Type != NdpOption.PrefixInformation || Data.Length < 30) return false;
        prefix = new NdpPrefix(
            BinaryPrimitives.ReadUInt128BigEndian(Data[14..]),
            Data[0],
            (PrefixFlags)Data[1],
            BinaryPrimitives.ReadUInt32BigEndian(Data[2..]),
            BinaryPrimitives.ReadUInt32BigEndian(Data[6..]));
        return true;
    }

    /// <summary>Reads the current option as an MTU.</summary>
    /// <param name="mtu">The MTU.</param>
    /// <returns>False when it is something else.</returns>
    public readonly bool TryReadMtu(out uint mtu)
    {
        mtu = 0;
        if (Type != NdpOption.Mtu) return false;
        mtu = BinaryPrimitives.ReadUInt32BigEndian(Data[2..]);
        return true;
    }
}

/// <summary>A prefix information option.</summary>
/// <param name="Prefix">The prefix as an address.</param>
/// <param name="Length">Its length in bits.</param>
/// <param name="Flags">Flags.</param>
/// <param name="ValidSeconds">How long it is valid; 0xFFFFFFFF for ever.</param>
/// <param name="PreferredSeconds">How long addresses from it are preferred.</param>
public readonly record struct NdpPrefix(UInt128 Prefix, byte Length, PrefixFlags Flags, uint ValidSeconds, uint PreferredSeconds);
