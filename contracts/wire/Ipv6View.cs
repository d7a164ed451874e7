using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>What the walk over IPv6's extension headers has found.</summary>
public readonly record struct Ipv6Transport
{
    /// <summary>The <see cref="IpProtocol"/> behind the extension headers; <see cref="IpProtocol.None"/> when there is nothing.</summary>
    public byte Protocol { get; init; }

    /// <summary>Where it starts, counted from the start of the packet.</summary>
    public int Offset { get; init; }

    /// <summary>Whether there was a fragment header, an "atomic" one (RFC 6946) included.</summary>
    public bool HasFragmentHeader { get; init; }

    /// <summary>Where the fragment's payload belongs, in bytes. Above zero, what stands at <see cref="Offset"/> is no transport header.</summary>
    public int FragmentOffset { get; init; }

    /// <summary>Whether more fragments follow.</summary>
    public bool MoreFragments { get; init; }

    /// <summary>The same in all fragments of a packet.</summary>
    public uint Identification { get; init; }

    /// <summary>Whether this is a part of a packet, first and last parts included.</summary>
    public bool IsFragment => FragmentOffset != 0 || MoreFragments;
}

/// <summary>An IPv6 header.</summary>
public readonly ref struct Ipv6View
{
    // RFC 8200 section 3
    private const int VersionClassFlowAt = 0;
    private const int PayloadLengthAt = 4;
    private const int NextHeaderAt = 6;
    private const int HopLimitAt = 7;
    private const int SourceAt = 8;
    private const int DestinationAt = 24;

    // RFC 8200 section 4.3 to 4.6: next header, then length in units of 8 behind the first 8; section 4.5: the fragment header
    private const int ExtensionLengthAt = 1;
    private const int ExtensionUnit = 8;
    private const int FragmentOffsetAt = 2;
    private const int FragmentIdentificationAt = 4;

    /// <summary>Bytes of the header.</summary>
    public const int HeaderLength = 40;

    /// <summary>The most extension headers that the walk follows. Real packets have at most three.</summary>
    public const int MaxExtensionHeaders = 8;

    private readonly ReadOnlySpan<byte> _packet;

    private Ipv6View(ReadOnlySpan<byte> packet) => _packet = packet;

    /// <summary>Looks at a packet that is there wholly.</summary>
    /// <param name="packet">An Ethernet payload; padding behind the packet is ignored.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when version or length is wrong or the packet is cut.</returns>
    public static bool TryParse(ReadOnlySpan<byte> packet, out Ipv6View view) => TryParse(packet, packet.Length, out view);

    /// <summary>Looks at the start of a packet, the rest of which is elsewhere.</summary>
    /// <param name="start">At least the header of 40 bytes.</param>
    /// <param name="packetLength">
    /// How long the whole packet may be at most. For a packet quoted by an ICMPv6 error, which may be cut, pass <see cref="int.MaxValue"/>.
    /// </param>
    /// <param name="view">The view.</param>
    /// <returns>False when version or length is wrong.</returns>
    public static bool TryParse(ReadOnlySpan<byte> start, int packetLength, out Ipv6View view)
    {
        view = default;
        if (start.Length < HeaderLength || start[VersionClassFlowAt] >> 4 != 6) return false;
        int totalLength = HeaderLength + BinaryPrimitives.ReadUInt16BigEndian(start[PayloadLengthAt..]);
        if (totalLength > packetLength) return false;
        view = new Ipv6View(start[..Math.Min(totalLength, start.Length)]);
        return true;
    }

    /// <summary>Traffic class: DSCP (6 bits) and ECN (2 bits).</summary>
    public byte TrafficClass => (byte)(BinaryPrimitives.ReadUInt16BigEndian(_packet[VersionClassFlowAt..]) >> 4);

    /// <summary>Flow label, 20 bits.</summary>
    public uint FlowLabel => BinaryPrimitives.ReadUInt32BigEndian(_packet[VersionClassFlowAt..]) & 0xFFFFF;

    /// <summary>Bytes behind the header, extension headers included.</summary>
    public int PayloadLength => BinaryPrimitives.ReadUInt16BigEndian(_packet[PayloadLengthAt..]);

    /// <summary>Bytes of the packet, header included.</summary>
    public int TotalLength => HeaderLength + PayloadLength;

    /// <summary>What follows: a transport's <see cref="IpProtocol"/> or an extension header.</summary>
    public byte NextHeader => _packet[NextHeaderAt];

    /// <summary>Hop limit.</summary>
    public byte HopLimit => _packet[HopLimitAt];

    /// <summary>Source address as a number.</summary>
    public UInt128 Source => BinaryPrimitives.ReadUInt128BigEndian(_packet[SourceAt..]);

    /// <summary>Destination address as a number.</summary>
    public UInt128 Destination => BinaryPrimitives.ReadUInt128BigEndian(_packet[DestinationAt..]);

    /// <summary>What follows the header, extension headers included, as far as it was given.</summary>
    public ReadOnlySpan<byte> Payload => _packet[HeaderLength..];

    /// <summary>The packet from its start, as far as it was given; <see cref="Ipv6Transport.Offset"/> counts in it.</summary>
    public ReadOnlySpan<byte> Packet => _packet;

    /// <summary>The sum of the pseudo header.</summary>
    /// <param name="transport">What <see cref="TryFindTransport"/> has found.</param>
    public uint PseudoHeader(in Ipv6Transport transport) =>
        InternetChecksum.PseudoHeader(Source, Destination, transport.Protocol, TotalLength - transport.Offset);

    /// <summary>Walks over the extension headers.</summary>
    /// <param name="transport">What stands behind them. ESP and unknown headers end the walk and are the transport.</param>
    /// <returns>False when a header is cut (or lies beyond what was given), or there are too many.</returns>
    public bool TryFindTransport(out Ipv6Transport transport)
    {
        byte next = NextHeader;
        int at = HeaderLength;
        transport = default;
        for (int count = 0; IsExtension(next); count++)
        {
            if (count == MaxExtensionHeaders || _packet.Length - at < ExtensionUnit) return false;
            ReadOnlySpan<byte> header = _packet[at..];
            int length = LengthOf(next, header[ExtensionLengthAt]);
            if (length > header.Length) return false;
            if (next == IpProtocol.Fragment) transport = ReadFragment(header);
            next = header[0];
            at += length;

            // Behind a later fragment's header comes the middle of something: nothing to walk over.
            if (transport.FragmentOffset != 0) break;
        }

        transport = transport with { Protocol = next, Offset = at };
        return true;
    }

    /// <summary>Writes a header.</summary>
    /// <param name="to">At least <see cref="HeaderLength"/> bytes.</param>
    /// <param name="payloadLength">Bytes behind the header, at most 65535.</param>
    /// <param name="nextHeader">An <see cref="IpProtocol"/>.</param>
    /// <param name="source">Source address.</param>
    /// <param name="destination">Destination address.</param>
    /// <param name="hopLimit">Hop limit; 255 for neighbour discovery.</param>
    /// <param name="trafficClass">Traffic class.</param>
    /// <param name="flowLabel">Flow label, 20 bits.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(
        Span<byte> to,
        int payloadLength,
        byte nextHeader,
        UInt128 source,
        UInt128 destination,
        byte hopLimit = 64,
        byte trafficClass = 0,
        uint flowLabel = 0)
    {
        to = to[..HeaderLength];
        BinaryPrimitives.WriteUInt32BigEndian(to[VersionClassFlowAt..], 6u << 28 | (uint)trafficClass << 20 | (flowLabel & 0xFFFFF));
        BinaryPrimitives.WriteUInt16BigEndian(to[PayloadLengthAt..], checked((ushort)payloadLength));
        to[NextHeaderAt] = nextHeader;
        to[HopLimitAt] = hopLimit;
        BinaryPrimitives.WriteUInt128BigEndian(to[SourceAt..], source);
        BinaryPrimitives.WriteUInt128BigEndian(to[DestinationAt..], destination);
        return HeaderLength;
    }

    /// <summary>Changes the payload length in a written header.</summary>
    /// <param name="header">The header.</param>
    /// <param name="payloadLength">Bytes behind the header.</param>
    public static void SetPayloadLength(Span<byte> header, ushort payloadLength) =>
        BinaryPrimitives.WriteUInt16BigEndian(header[PayloadLengthAt..], payloadLength);

    private static bool IsExtension(byte next) => next is IpProtocol.HopByHop or IpProtocol.Routing or IpProtocol.Fragment
        or IpProtocol.DestinationOptions or IpProtocol.Authentication;

    private static int LengthOf(byte header, byte lengthField) => header switch
    {
        IpProtocol.Fragment => ExtensionUnit,
        IpProtocol.Authentication => (lengthField + 2) * 4, // RFC 4302 section 2.2
        _ => (lengthField + 1) * ExtensionUnit,
    };

    private static Ipv6Transport ReadFragment(ReadOnlySpan<byte> header)
    {
        ushort field = BinaryPrimitives.ReadUInt16BigEndian(header[FragmentOffsetAt..]);
        return new Ipv6Transport
        {
            HasFragmentHeader = true,
            FragmentOffset = field & 0xFFF8,
            MoreFragments = (field & 1) != 0,
            Identification = BinaryPrimitives.ReadUInt32BigEndian(header[FragmentIdentificationAt..]),
        };
    }
}
