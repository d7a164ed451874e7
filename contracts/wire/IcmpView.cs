using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>ICMP types and codes for IPv4 (RFC 792, RFC 1191, RFC 1812).</summary>
public static class IcmpType
{
#pragma warning disable CS1591 // The names are the RFCs'.
    public const byte EchoReply = 0;
    public const byte DestinationUnreachable = 3;
    public const byte Echo = 8;
    public const byte TimeExceeded = 11;
    public const byte ParameterProblem = 12;

    public const byte CodeNetUnreachable = 0;
    public const byte CodeHostUnreachable = 1;
    public const byte CodeProtocolUnreachable = 2;
    public const byte CodePortUnreachable = 3;
    public const byte CodeFragmentationNeeded = 4;
    public const byte CodeAdministrativelyProhibited = 13;
    public const byte CodeTtlExceeded = 0;
    public const byte CodeReassemblyTimeExceeded = 1;
#pragma warning restore CS1591
}

/// <summary>ICMPv6 types and codes (RFC 4443, RFC 4861, RFC 2710, RFC 3810).</summary>
public static class Icmpv6Type
{
#pragma warning disable CS1591 // The names are the RFCs'.
    public const byte DestinationUnreachable = 1;
    public const byte PacketTooBig = 2;
    public const byte TimeExceeded = 3;
    public const byte ParameterProblem = 4;
    public const byte EchoRequest = 128;
    public const byte EchoReply = 129;
    public const byte MulticastListenerQuery = 130;
    public const byte MulticastListenerReport = 131;
    public const byte MulticastListenerDone = 132;
    public const byte RouterSolicitation = 133;
    public const byte RouterAdvertisement = 134;
    public const byte NeighborSolicitation = 135;
    public const byte NeighborAdvertisement = 136;
    public const byte Redirect = 137;
    public const byte MulticastListenerReportV2 = 143;

    public const byte CodeNoRoute = 0;
    public const byte CodeAdministrativelyProhibited = 1;
    public const byte CodeAddressUnreachable = 3;
    public const byte CodePortUnreachable = 4;
    public const byte CodeHopLimitExceeded = 0;
    public const byte CodeUnrecognizedNextHeader = 1;
#pragma warning restore CS1591
}

/// <summary>An ICMP or ICMPv6 message; both have the same header and differ in numbers and in what the checksum covers.</summary>
public readonly ref struct IcmpView
{
    // RFC 792; RFC 4443 section 2.1 and 4.1
    private const int TypeAt = 0;
    private const int CodeAt = 1;
    private const int IdentifierAt = 4;
    private const int SequenceAt = 6;
    private const int MtuV4At = 6;      // RFC 1191 section 4
    private const int RestAt = 4;       // RFC 4443 section 3.2: the MTU has 32 bits

    /// <summary>Where the checksum field is.</summary>
    public const int ChecksumAt = 2;

    /// <summary>Bytes of the header.</summary>
    public const int HeaderLength = 8;

    /// <summary>An ICMPv6 error must fit into IPv6's minimum MTU (RFC 4443 section 2.4 c).</summary>
    public const int MaxIcmpv6ErrorPacket = 1280;

    /// <summary>An ICMP error should fit into this much (RFC 1812 section 4.3.2.3).</summary>
    public const int MaxIcmpErrorPacket = 576;

    private readonly ReadOnlySpan<byte> _message;

    private IcmpView(ReadOnlySpan<byte> message) => _message = message;

    /// <summary>Looks at a message.</summary>
    /// <param name="message">An IP payload, or its start.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when the header is cut.</returns>
    public static bool TryParse(ReadOnlySpan<byte> message, out IcmpView view)
    {
        view = default;
        if (message.Length < HeaderLength) return false;
        view = new IcmpView(message);
        return true;
    }

    /// <summary>An <see cref="IcmpType"/> or an <see cref="Icmpv6Type"/>.</summary>
    public byte Type => _message[TypeAt];

    /// <summary>The code within the type.</summary>
    public byte Code => _message[CodeAt];

    /// <summary>The checksum field.</summary>
    public ushort Checksum => BinaryPrimitives.ReadUInt16BigEndian(_message[ChecksumAt..]);

    /// <summary>Echo: the identifier.</summary>
    public ushort Identifier => BinaryPrimitives.ReadUInt16BigEndian(_message[IdentifierAt..]);

    /// <summary>Echo: the sequence number.</summary>
    public ushort Sequence => BinaryPrimitives.ReadUInt16BigEndian(_message[SequenceAt..]);

    /// <summary>Fragmentation needed (IPv4): the next hop's MTU, 0 from old routers.</summary>
    public ushort NextHopMtu => BinaryPrimitives.ReadUInt16BigEndian(_message[MtuV4At..]);

    /// <summary>Bytes 4 to 7 as a number: packet too big (IPv6): the MTU.</summary>
    public uint RestOfHeader => BinaryPrimitives.ReadUInt32BigEndian(_message[RestAt..]);

    /// <summary>Whether the checksum is right; the message must be there wholly.</summary>
    /// <param name="pseudoHeader">0 for IPv4; for IPv6 the pseudo header's sum.</param>
    public bool IsChecksumValid(uint pseudoHeader) => InternetChecksum.IsValid(InternetChecksum.Add(pseudoHeader, _message));

    /// <summary>What follows the header: echo data, or the start of the packet that an error is about.</summary>
    public ReadOnlySpan<byte> Payload => _message[HeaderLength..];

    /// <summary>Writes a header; the checksum is zero until <see cref="WriteChecksum"/>.</summary>
    /// <param name="to">At least <see cref="HeaderLength"/> bytes.</param>
    /// <param name="type">The type.</param>
    /// <param name="code">The code.</param>
    /// <param name="restOfHeader">Bytes 4 to 7: identifier and sequence number, or an MTU, or 0.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> to, byte type, byte code, uint restOfHeader)
    {
        to = to[..HeaderLength];
        to[TypeAt] = type;
        to[CodeAt] = code;
        BinaryPrimitives.WriteUInt16BigEndian(to[ChecksumAt..], 0);
        BinaryPrimitives.WriteUInt32BigEndian(to[RestAt..], restOfHeader);
        return HeaderLength;
    }

    /// <summary>Bytes 4 to 7 of an echo message.</summary>
    /// <param name="identifier">The identifier.</param>
    /// <param name="sequence">The sequence number.</param>
    public static uint EchoRest(ushort identifier, ushort sequence) => (uint)identifier << 16 | sequence;

    /// <summary>Computes and writes the checksum.</summary>
    /// <param name="message">Header and payload.</param>
    /// <param name="pseudoHeader">0 for IPv4; for IPv6 the pseudo header's sum.</param>
    public static void WriteChecksum(Span<byte> message, uint pseudoHeader)
    {
        BinaryPrimitives.WriteUInt16BigEndian(message[ChecksumAt..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(message[ChecksumAt..], InternetChecksum.Finish(InternetChecksum.Add(pseudoHeader, message)));
    }
}
