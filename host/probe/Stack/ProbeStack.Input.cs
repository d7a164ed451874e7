using System.Buffers.Binary;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Linux;

namespace NicHost.Probe.Stack;

/// <content>From the frame to the protocol.</content>
public sealed unsafe partial class ProbeStack
{
    private const int HeadBytes = 192;

    private readonly byte[] _headScratch = new byte[HeadBytes];
    private readonly byte[] _linear = new byte[FrameLimits.MaxFrame];
    private readonly Reassembly _reassembly = new();

    /// <inheritdoc/>
    public void Receive(in RxFrame frame)
    {
        if (frame.Length < Proto.Ethernet)
        {
            Faults.Report("frame shorter than an Ethernet header");
            return;
        }
        var head = frame.Head;
        if (head.Length < frame.Length && head.Length < HeadBytes) head = _headScratch.AsSpan(0, frame.CopyTo(_headScratch));
        var destination = new MacAddress(head);
        if (destination != Mac && !destination.IsGroup)
        {
            Faults.Report("frame for another MAC address");
            return;
        }
        switch (BinaryPrimitives.ReadUInt16BigEndian(head[12..]))
        {
            case Proto.EtherArp: ReceiveArp(head); break;
            case Proto.EtherIpv4: ReceiveIpv4(frame, head); break;
            case Proto.EtherIpv6: ReceiveIpv6(frame, head); break;
            default: Faults.Report("frame of an unknown EtherType"); break;
        }
    }

    private void ReceiveIpv4(in RxFrame frame, ReadOnlySpan<byte> head)
    {
        var ip = head[Proto.Ethernet..];
        if (ip.Length < Proto.Ipv4Header || ip[0] >> 4 != 4)
        {
            Faults.Report("IPv4 packet without a whole header");
            return;
        }
        var headerLength = (ip[0] & 15) * 4;
        int total = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        if (headerLength < Proto.Ipv4Header || total < headerLength || ip.Length < headerLength || total > frame.Length - Proto.Ethernet)
        {
            Faults.Report("IPv4 packet with wrong lengths");
            return;
        }
        if (InetChecksum.Fold(InetChecksum.Add(0, ip[..headerLength])) != 0xffff)
        {
            Faults.Report("IPv4 header with a wrong checksum");
            return;
        }
        if (frame.Offload.Gso == GsoKind.None && total > _link.Mtu) Faults.Report("IPv4 packet longer than the MTU");
        var packet = new IpPacket
        {
            Source = Ip.V4(BinaryPrimitives.ReadUInt32BigEndian(ip[12..])),
            Destination = Ip.V4(BinaryPrimitives.ReadUInt32BigEndian(ip[16..])),
            Protocol = ip[9],
            HopLimit = ip[8],
            Offset = Proto.Ethernet + headerLength,
            Length = total - headerLength,
            Head = head,
            Frame = frame,
        };
        var fragment = BinaryPrimitives.ReadUInt16BigEndian(ip[6..]);
        if ((fragment & 0x3fff) == 0) Dispatch(packet);
        else ReceiveFragment(packet, BinaryPrimitives.ReadUInt16BigEndian(ip[4..]), (fragment & 0x1fff) * 8, (fragment & 0x2000) != 0);
    }

    private void ReceiveIpv6(in RxFrame frame, ReadOnlySpan<byte> head)
    {
        var ip = head[Proto.Ethernet..];
        if (ip.Length < Proto.Ipv6Header || ip[0] >> 4 != 6)
        {
            Faults.Report("IPv6 packet without a whole header");
            return;
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
        if (length > frame.Length - Proto.Ethernet - Proto.Ipv6Header)
        {
            Faults.Report("IPv6 packet with a wrong length");
            return;
        }
        if (frame.Offload.Gso == GsoKind.None && length + Proto.Ipv6Header > _link.Mtu) Faults.Report("IPv6 packet longer than the MTU");
        var packet = new IpPacket
        {
            Source = Ip.Read(ip.Slice(8, 16)),
            Destination = Ip.Read(ip.Slice(24, 16)),
            Protocol = ip[6],
            HopLimit = ip[7],
            Offset = Proto.Ethernet + Proto.Ipv6Header,
            Length = length,
            Head = head,
            Frame = frame,
        };
        const byte fragmentHeader = 44;
        if (packet.Protocol != fragmentHeader)
        {
            Dispatch(packet);
            return;
        }
        var start = packet.Start;
        if (start.Length < 8)
        {
            Faults.Report("IPv6 fragment without a whole header");
            return;
        }
        var field = BinaryPrimitives.ReadUInt16BigEndian(start[2..]);
        var inner = new IpPacket
        {
            Source = packet.Source,
            Destination = packet.Destination,
            Protocol = start[0],
            HopLimit = packet.HopLimit,
            Offset = packet.Offset + 8,
            Length = length - 8,
            Head = head,
            Frame = frame,
        };
        ReceiveFragment(inner, BinaryPrimitives.ReadUInt32BigEndian(start[4..]), field & 0xfff8, (field & 1) != 0);
    }

    private void ReceiveFragment(in IpPacket packet, uint id, int offset, bool more)
    {
        if (!_reassembly.Add(packet, id, offset, more, out var length)) return;

        // SAFETY: the buffer is pinned while the packet is looked at; length is what reassembly filled.
        fixed (byte* whole = _reassembly.Buffer)
        {
            var segment = new IoVec(whole, length);
            Dispatch(new IpPacket
            {
                Source = packet.Source,
                Destination = packet.Destination,
                Protocol = packet.Protocol,
                HopLimit = packet.HopLimit,
                Offset = 0,
                Length = length,
                Head = new ReadOnlySpan<byte>(whole, length),
                Frame = new RxFrame(new ReadOnlySpan<IoVec>(ref segment), length, default),
            });
        }
    }

    private void Dispatch(in IpPacket packet)
    {
        if (!packet.Destination.IsGroup && !IsOurs(packet.Destination) && !AwaitsAddress(packet))
        {
            Faults.Report("IP packet for another address");
            return;
        }
        switch (packet.Protocol)
        {
            case Proto.Tcp: ReceiveTcp(packet); break;
            case Proto.Udp: ReceiveUdp(packet); break;
            case Proto.Icmp when !packet.Source.IsV6: ReceiveIcmp(packet); break;
            case Proto.Icmpv6 when packet.Source.IsV6: ReceiveIcmpv6(packet); break;
            default: Unclaimed?.Invoke(packet); break;
        }
    }

    // A DHCP server may send its offer to the address that it offers (RFC 2131, 4.1).
    private bool AwaitsAddress(in IpPacket packet) => !packet.Source.IsV6 && Address4.IsZero && packet.Protocol == Proto.Udp;

    /// <summary>The payload in one piece; good until the next call.</summary>
    private ReadOnlySpan<byte> Linear(in IpPacket packet)
    {
        if (packet.Offset + packet.Length <= packet.Head.Length) return packet.Head.Slice(packet.Offset, packet.Length);
        return _linear.AsSpan(0, packet.Frame.CopyTo(packet.Offset, _linear.AsSpan(0, packet.Length)));
    }
}
