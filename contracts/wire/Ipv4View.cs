using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>An IPv4 header; options are skipped.</summary>
public readonly ref struct Ipv4View
{
    // RFC 791 section 3.1
    private const int VersionLengthAt = 0;
    private const int TosAt = 1;
    private const int TotalLengthAt = 2;
    private const int IdentificationAt = 4;
    private const int FragmentAt = 6;
    private const int TtlAt = 8;
    private const int ProtocolAt = 9;
    private const int SourceAt = 12;
    private const int DestinationAt = 16;
    private const ushort DontFragmentBit = 0x4000;
    private const ushort MoreFragmentsBit = 0x2000;
    private const ushort FragmentOffsetMask = 0x1FFF;

    /// <summary>Where the checksum field is.</summary>
    public const int ChecksumAt = 10;

    /// <summary>Bytes of a header without options.</summary>
    public const int MinHeaderLength = 20;

    /// <summary>Bytes of the longest header.</summary>
    public const int MaxHeaderLength = 60;

    private readonly ReadOnlySpan<byte> _packet;

    private Ipv4View(ReadOnlySpan<byte> packet) => _packet = packet;

    /// <summary>Looks at a packet that is there wholly.</summary>
    /// <param name="packet">An Ethernet payload; padding behind the packet is ignored.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when version or lengths are wrong or the packet is cut.</returns>
    public static bool TryParse(ReadOnlySpan<byte> packet, out Ipv4View view) => TryParse(packet, packet.Length, out view);

    /// <summary>Looks at the start of a packet, the rest of which is elsewhere.</summary>
    /// <param name="start">At least the whole IP header.</param>
    /// <param name="packetLength">
    /// How long the whole packet may be at most: <see cref="TotalLength"/> is checked against it. For a packet quoted by an ICMP error, which may be cut,
    /// pass <see cref="int.MaxValue"/>.
    /// </param>
    /// <param name="view">The view.</param>
    /// <returns>False when version or lengths are wrong.</returns>
    public static bool TryParse(ReadOnlySpan<byte> start, int packetLength, out Ipv4View view)
    {
        view = default;
        if (start.Length < MinHeaderLength) return false;
        byte versionLength = start[VersionLengthAt];
        int headerLength = (versionLength & 0xF) * 4;
        if (versionLength >> 4 != 4 || headerLength < MinHeaderLength || headerLength > start.Length) return false;
        int totalLength = BinaryPrimitives.ReadUInt16BigEndian(start[TotalLengthAt..]);
        if (totalLength < headerLength || totalLength > packetLength) return false;
        view = new Ipv4View(start[..Math.Min(totalLength, start.Length)]);
        return true;
    }

    /// <summary>Bytes of the header with options.</summary>
    public int HeaderLength => (_packet[VersionLengthAt] & 0xF) * 4;

    /// <summary>Type of service: DSCP (6 bits) and ECN (2 bits).</summary>
    public byte Tos => _packet[TosAt];

    /// <summary>Bytes of the packet, header included.</summary>
    public int TotalLength => BinaryPrimitives.ReadUInt16BigEndian(_packet[TotalLengthAt..]);

    /// <summary>Bytes behind the header.</summary>
    public int PayloadLength => TotalLength - HeaderLength;

    /// <summary>Identification, for fragments.</summary>
    public ushort Identification => BinaryPrimitives.ReadUInt16BigEndian(_packet[IdentificationAt..]);

    /// <summary>DF.</summary>
    public bool DontFragment => (Fragment & DontFragmentBit) != 0;

    /// <summary>MF.</summary>
    public bool MoreFragments => (Fragment & MoreFragmentsBit) != 0;

    /// <summary>Where the fragment's payload belongs, in bytes.</summary>
    public int FragmentOffset => (Fragment & FragmentOffsetMask) * 8;

    /// <summary>Whether this is a part of a packet, first and last parts included.</summary>
    public bool IsFragment => (Fragment & (MoreFragmentsBit | FragmentOffsetMask)) != 0;

    /// <summary>Time to live.</summary>
    public byte Ttl => _packet[TtlAt];

    /// <summary>An <see cref="IpProtocol"/>.</summary>
    public byte Protocol => _packet[ProtocolAt];

    /// <summary>The header checksum as it stands there.</summary>
    public ushort Checksum => BinaryPrimitives.ReadUInt16BigEndian(_packet[ChecksumAt..]);

    /// <summary>Whether the header checksum is right.</summary>
    public bool IsChecksumValid => InternetChecksum.IsValid(InternetChecksum.Add(0, _packet[..HeaderLength]));

    /// <summary>Source address; 10.0.2.15 is 0x0A00020F.</summary>
    public uint Source => BinaryPrimitives.ReadUInt32BigEndian(_packet[SourceAt..]);

    /// <summary>Destination address.</summary>
    public uint Destination => BinaryPrimitives.ReadUInt32BigEndian(_packet[DestinationAt..]);

    /// <summary>The options' bytes, mostly none.</summary>
    public ReadOnlySpan<byte> Options => _packet[MinHeaderLength..HeaderLength];

    /// <summary>What follows the header, as far as it was given.</summary>
    public ReadOnlySpan<byte> Payload => _packet[HeaderLength..];

    /// <summary>The sum of the pseudo header for a transport of <see cref="PayloadLength"/> bytes.</summary>
    public uint PseudoHeader => InternetChecksum.PseudoHeader(Source, Destination, Protocol, PayloadLength);

    private ushort Fragment => BinaryPrimitives.ReadUInt16BigEndian(_packet[FragmentAt..]);

    /// <summary>Writes a header without options, with its checksum.</summary>
    /// <param name="to">At least <see cref="MinHeaderLength"/> bytes.</param>
    /// <param name="payloadLength">Bytes behind the header, at most 65515.</param>
    /// <param name="protocol">An <see cref="IpProtocol"/>.</param>
    /// <param name="source">Source address.</param>
    /// <param name="destination">Destination address.</param>
    /// <param name="ttl">Time to live.</param>
    /// <param name="tos">Type of service.</param>
    /// <param name="identification">For fragments; 0 with DF (RFC 6864).</param>
    /// <param name="dontFragment">DF.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(
        Span<byte> to,
        int payloadLength,
        byte protocol,
        uint source,
        uint destination,
        byte ttl = 64,
        byte tos = 0,
        ushort identification = 0,
        bool dontFragment = true)
    {
        to = to[..MinHeaderLength];
        to[VersionLengthAt] = 0x45;
        to[TosAt] = tos;
        BinaryPrimitives.WriteUInt16BigEndian(to[TotalLengthAt..], checked((ushort)(MinHeaderLength + payloadLength)));
        BinaryPrimitives.WriteUInt16BigEndian(to[IdentificationAt..], identification);
        BinaryPrimitives.WriteUInt16BigEndian(to[FragmentAt..], dontFragment ? DontFragmentBit : (ushort)0);
        to[TtlAt] = ttl;
        to[ProtocolAt] = protocol;
        BinaryPrimitives.WriteUInt16BigEndian(to[ChecksumAt..], 0);
        BinaryPrimitives.WriteUInt32BigEndian(to[SourceAt..], source);
        BinaryPrimitives.WriteUInt32BigEndian(to[DestinationAt..], destination);
        WriteChecksum(to);
        return MinHeaderLength;
    }

    /// <summary>Changes the total length in a written header and updates the checksum.</summary>
    /// <param name="header">The header.</param>
    /// <param name="totalLength">Bytes of the packet, header included.</param>
    public static void SetTotalLength(Span<byte> header, ushort totalLength)
    {
        ushort before = BinaryPrimitives.ReadUInt16BigEndian(header[TotalLengthAt..]);
        ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(header[ChecksumAt..]);
        BinaryPrimitives.WriteUInt16BigEndian(header[TotalLengthAt..], totalLength);
        BinaryPrimitives.WriteUInt16BigEndian(header[ChecksumAt..], InternetChecksum.Update(checksum, before, totalLength));
    }

    /// <summary>Changes the fragment fields in a written header; the checksum is written anew.</summary>
    /// <param name="header">The whole header.</param>
    /// <param name="identification">The same in all fragments of a packet.</param>
    /// <param name="offset">Where the payload belongs, in bytes; a multiple of 8.</param>
    /// <param name="more">Whether more fragments follow.</param>
    public static void SetFragment(Span<byte> header, ushort identification, int offset, bool more)
    {
        BinaryPrimitives.WriteUInt16BigEndian(header[IdentificationAt..], identification);
        BinaryPrimitives.WriteUInt16BigEndian(header[FragmentAt..], (ushort)((offset / 8) | (more ? MoreFragmentsBit : 0)));
        WriteChecksum(header);
    }

    /// <summary>Writes the header checksum anew.</summary>
    /// <param name="header">The whole header.</param>
    public static void WriteChecksum(Span<byte> header)
    {
        BinaryPrimitives.WriteUInt16BigEndian(header[ChecksumAt..], 0);
        int length = (header[VersionLengthAt] & 0xF) * 4;
        BinaryPrimitives.WriteUInt16BigEndian(header[ChecksumAt..], InternetChecksum.Compute(header[..length]));
    }
}
