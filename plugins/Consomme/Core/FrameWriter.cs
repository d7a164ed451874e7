using System.Buffers.Binary;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Wire;

namespace NicHost.Consomme.Core;

/// <summary>Writes the headers of frames to the guest.</summary>
internal static class FrameWriter
{
    public const int Ethernet = FrameLimits.EthernetHeader;
    public const int Ipv4Header = 20;
    public const int Ipv6Header = 40;
    public const int UdpHeader = 8;
    public const ushort EtherTypeIpv4 = 0x0800;
    public const ushort EtherTypeArp = 0x0806;
    public const ushort EtherTypeVlan = 0x8100;
    public const ushort EtherTypeIpv6 = 0x86dd;
    private const ushort DontFragment = 0x4000;

    /// <summary>Bytes of Ethernet and IP header.</summary>
    public static int HeaderLength(bool v4) => Ethernet + (v4 ? Ipv4Header : Ipv6Header);

    public static void WriteEthernet(Span<byte> frame, MacAddress destination, MacAddress source, ushort type)
    {
        destination.CopyTo(frame);
        source.CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], type);
    }

    /// <summary>Writes Ethernet and IP header, from our MAC to the guest's.</summary>
    /// <param name="transportLength">Bytes after the IP header.</param>
    /// <param name="trafficClass">TOS byte.</param>
    /// <returns>Offset of the transport header.</returns>
    public static int WriteIp(
        Span<byte> frame, Network network, IpAddr source, IpAddr destination, byte protocol, int transportLength, byte hopLimit = 64, byte trafficClass = 0)
    {
        WriteEthernet(frame, network.GuestMac, network.GatewayMac, source.IsV4 ? EtherTypeIpv4 : EtherTypeIpv6);
        return Ethernet + (source.IsV4
            ? WriteIpv4(frame[Ethernet..], source, destination, protocol, transportLength, hopLimit, trafficClass, 0, DontFragment)
            : WriteIpv6(frame[Ethernet..], source, destination, protocol, transportLength, hopLimit, trafficClass));
    }

    /// <param name="fragment">The field of flags and fragment offset.</param>
    public static int WriteIpv4(
        Span<byte> header, IpAddr source, IpAddr destination, byte protocol, int length, byte ttl, byte tos, ushort id, ushort fragment)
    {
        header[0] = 0x45;
        header[1] = tos;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)(Ipv4Header + length));
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], id);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], fragment);
        header[8] = ttl;
        header[9] = protocol;
        header[10] = header[11] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(header[12..], source.V4);
        BinaryPrimitives.WriteUInt32BigEndian(header[16..], destination.V4);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], InternetSum.Of(header[..Ipv4Header]));
        return Ipv4Header;
    }

    public static int WriteIpv6(
        Span<byte> header, IpAddr source, IpAddr destination, byte nextHeader, int length, byte hopLimit, byte trafficClass)
    {
        BinaryPrimitives.WriteUInt32BigEndian(header, 0x6000_0000u | ((uint)trafficClass << 20));
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)length);
        header[6] = nextHeader;
        header[7] = hopLimit;
        source.WriteV6(header[8..]);
        destination.WriteV6(header[24..]);
        return Ipv6Header;
    }

    /// <summary>Writes a UDP header whose checksum field holds the pseudo header's sum: a partial checksum.</summary>
    public static void WriteUdp(Span<byte> header, IpAddr source, ushort sourcePort, IpAddr destination, ushort destinationPort, int payloadLength)
    {
        var length = UdpHeader + payloadLength;
        BinaryPrimitives.WriteUInt16BigEndian(header, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)length);
        var sum = InternetSum.WithPseudoHeader(source, destination, IpProtocol.Udp, length);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], sum.Folded);
    }

    /// <summary>The record for a frame whose UDP header is at <paramref name="transportOffset"/> and was written by <see cref="WriteUdp"/>.</summary>
    public static FrameOffload PartialUdp(int transportOffset) => new()
    {
        Checksum = ChecksumState.Partial,
        ChecksumStart = (ushort)transportOffset,
        ChecksumOffset = 6,
        HeaderLength = (ushort)(transportOffset + UdpHeader),
    };
}
