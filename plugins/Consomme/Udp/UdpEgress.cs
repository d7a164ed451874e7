using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Consomme.Ip;
using NicHost.Contracts.Frames;
using NicHost.Wire;

namespace NicHost.Consomme.Udp;

/// <summary>Datagrams to the guest from our own memory: whole, in fragments, or as a super-frame.</summary>
internal sealed class UdpEgress(NatContext context, IpSender ip)
{
    private readonly Network _network = context.Network;

    /// <summary>Sends one datagram, in fragments where it exceeds the MTU.</summary>
    public bool Send(int queue, UdpEnd from, UdpEnd to, ReadOnlySpan<byte> payload, byte trafficClass = 0)
    {
        var headers = FrameWriter.HeaderLength(from.Address.IsV4) - FrameWriter.Ethernet + FrameWriter.UdpHeader;
        return payload.Length + headers <= _network.Mtu ? SendWhole(queue, from, to, payload, 0, trafficClass) : SendFragments(queue, from, to, payload);
    }

    /// <param name="segmentSize">Above 0: the payload is several datagrams of that size, and the guest takes them as one frame.</param>
    [SkipLocalsInit]
    public bool SendWhole(int queue, UdpEnd from, UdpEnd to, ReadOnlySpan<byte> payload, int segmentSize, byte trafficClass)
    {
        Span<byte> bytes = stackalloc byte[FrameWriter.Ethernet + FrameWriter.Ipv6Header + FrameWriter.UdpHeader];
        var at = FrameWriter.WriteIp(bytes, _network, from.Address, to.Address, IpProtocol.Udp, FrameWriter.UdpHeader + payload.Length, 64, trafficClass);
        FrameWriter.WriteUdp(bytes[at..], from.Address, from.Port, to.Address, to.Port, payload.Length);
        var offload = FrameWriter.PartialUdp(at);
        if (segmentSize > 0)
        {
            offload.Gso = GsoKind.Udp;
            offload.SegmentSize = (ushort)segmentSize;
        }
        return context.Port.Send(queue, bytes[..(at + FrameWriter.UdpHeader)], payload, offload);
    }

    /// <summary>A fragment's checksum covers the whole datagram and cannot be left to the guest.</summary>
    private bool SendFragments(int queue, UdpEnd from, UdpEnd to, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[FrameWriter.UdpHeader];
        FrameWriter.WriteUdp(header, from.Address, from.Port, to.Address, to.Port, payload.Length);
        var sum = default(InternetSum);
        sum.Add(header);
        sum.Add(payload);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], sum.Checksum == 0 ? (ushort)0xffff : sum.Checksum);
        return ip.SendFragments(queue, from.Address, to.Address, IpProtocol.Udp, header, payload);
    }
}
