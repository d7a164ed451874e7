using System.Buffers.Binary;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;

namespace NicHost.Probe.Stack;

/// <summary>How the checksum of an outgoing packet is made.</summary>
internal enum ChecksumKind
{
    /// <summary>Over the payload alone (ICMP).</summary>
    Plain,

    /// <summary>With the pseudo header, here.</summary>
    Pseudo,

    /// <summary>With the pseudo header, by the device where it takes that.</summary>
    Offloaded,
}

/// <summary>A packet to send: everything but the link's part.</summary>
internal unsafe ref struct OutPacket
{
    public Ip Source;
    public Ip Destination;
    public byte Protocol;
    public byte HopLimit;
    public ReadOnlySpan<byte> Header;
    public ReadOnlySpan<byte> Body;
    public byte* Tail;
    public int TailLength;
    public int ChecksumOffset;
    public ChecksumKind Checksum;
    public ushort SegmentSize;
    public uint Flow;
    public MacAddress NextHop;

    public readonly int Length => Header.Length + Body.Length + TailLength;
}

/// <content>From the protocol to the frame.</content>
public sealed unsafe partial class ProbeStack
{
    private readonly NeighbourTable _neighbours = new();
    private ushort _ipId = 1;

    private const int MaxHeaders = Proto.Ethernet + Proto.Ipv6Header + FragmentHeader;

    /// <summary>The address that we send from.</summary>
    public Ip SourceFor(Ip destination) =>
        !destination.IsV6 ? Address4 : destination.IsLinkLocal || Address6.IsZero || destination.IsGroup ? LinkLocal : Address6;

    /// <summary>Sends a packet, in fragments if it has to be.</summary>
    /// <returns>False when the neighbour is not known yet or the ring is full: try again after the next poll.</returns>
    internal bool SendIp(ref OutPacket packet)
    {
        if (!TryResolve(packet.Destination, out packet.NextHop)) return false;
        if (packet.HopLimit == 0) packet.HopLimit = 64;
        var room = Mtu - (packet.Source.IsV6 ? Proto.Ipv6Header : Proto.Ipv4Header);
        return packet.Length <= room || packet.SegmentSize != 0 ? SendWhole(ref packet) : SendFragments(ref packet);
    }

    /// <summary>Finds the MAC address to send to; asks for it if it is not known.</summary>
    internal bool TryResolve(Ip destination, out MacAddress mac)
    {
        if (destination.IsGroup)
        {
            mac = GroupMac(destination);
            return true;
        }
        var hop = destination.IsV6
            ? destination.IsLinkLocal || (!Address6.IsZero && destination.SharesPrefix(Address6, PrefixLength6)) ? destination : Router6
            : destination.SharesPrefix(Address4, PrefixLength4) ? destination : Router4;
        if (_neighbours.TryGet(hop, out mac)) return true;
        if (hop.IsZero || !_neighbours.ShouldAsk(hop, NowMs)) return false;
        if (hop.IsV6) SendNeighbourSolicitation(hop);
        else SendArp(1, default, hop);
        return false;
    }

    /// <summary>Sends bytes as a frame, header and all.</summary>
    public bool SendFrame(ReadOnlySpan<byte> frame, in FrameOffload offload = default)
    {
        if (!_link.TryBegin(0, frame.Length, out var room)) return false;
        frame.CopyTo(room);
        _link.Send(frame.Length, null, 0, offload);
        return true;
    }

    private static MacAddress GroupMac(Ip group)
    {
        Span<byte> mac = stackalloc byte[8];
        if (group == Ip.Broadcast) mac.Fill(0xff);
        else if (group.IsV6) BinaryPrimitives.WriteUInt64BigEndian(mac, (0x3333UL << 32) | (uint)group.Value);
        else BinaryPrimitives.WriteUInt64BigEndian(mac, 0x0100_5e00_0000UL | ((uint)group.Value & 0x7f_ffff));
        return new MacAddress(mac[2..]);
    }

    private bool SendWhole(ref OutPacket packet)
    {
        if (!_link.TryBegin(packet.Flow, MaxHeaders + packet.Header.Length + packet.Body.Length, out var room)) return false;
        WriteEthernet(room, packet.NextHop, packet.Source.IsV6 ? Proto.EtherIpv6 : Proto.EtherIpv4);
        var start = WriteIp(room, packet, packet.Length, _ipId++, 0);
        var transport = room.Slice(start, packet.Header.Length + packet.Body.Length);
        packet.Header.CopyTo(transport);
        packet.Body.CopyTo(transport[packet.Header.Length..]);
        FrameOffload offload = default;
        Checksum(packet, transport, start, ref offload);
        if (packet.SegmentSize != 0)
        {
            offload.Gso = packet.Protocol == Proto.Udp ? GsoKind.Udp : packet.Source.IsV6 ? GsoKind.TcpV6 : GsoKind.TcpV4;
            offload.SegmentSize = packet.SegmentSize;
            offload.HeaderLength = (ushort)(start + packet.Header.Length);
        }
        _link.Send(start + transport.Length, packet.Tail, packet.TailLength, offload);
        return true;
    }

    private void Checksum(in OutPacket packet, Span<byte> transport, int start, ref FrameOffload offload)
    {
        var field = transport.Slice(packet.ChecksumOffset, 2);
        field.Clear();
        var sum = packet.Checksum == ChecksumKind.Plain ? 0 : InetChecksum.Pseudo(packet.Source, packet.Destination, packet.Protocol, packet.Length);
        if (packet.Checksum == ChecksumKind.Offloaded && (_link.TxOffloads & OffloadSet.Checksum) != 0)
        {
            offload.Checksum = ChecksumState.Partial;
            offload.ChecksumStart = (ushort)start;
            offload.ChecksumOffset = (ushort)packet.ChecksumOffset;
            InetChecksum.StoreRaw(field, InetChecksum.Fold(sum));
            return;
        }
        sum = InetChecksum.Add(sum, transport);
        if (packet.TailLength > 0)
        {
            // SAFETY: the tail is guest memory of that length, as the caller says.
            var tail = InetChecksum.Add(0, new ReadOnlySpan<byte>(packet.Tail, packet.TailLength));
            sum = InetChecksum.Fold(sum) + ((transport.Length & 1) == 0 ? InetChecksum.Fold(tail) : InetChecksum.Swap(tail));
        }
        var complement = (ushort)~InetChecksum.Fold(sum);

        // A UDP checksum of zero means none (RFC 768), so that value is sent as its other form.
        if (complement == 0 && packet.Protocol == Proto.Udp) complement = 0xffff;
        InetChecksum.StoreRaw(field, complement);
    }

    private void WriteEthernet(Span<byte> frame, MacAddress destination, ushort type)
    {
        destination.CopyTo(frame);
        Mac.CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], type);
    }

    /// <summary>Writes the IP header.</summary>
    /// <returns>Where the payload starts in the frame.</returns>
    private static int WriteIp(Span<byte> frame, in OutPacket packet, int payloadLength, ushort id, ushort fragment)
    {
        var ip = frame[Proto.Ethernet..];
        if (packet.Source.IsV6)
        {
            BinaryPrimitives.WriteUInt32BigEndian(ip, 0x6000_0000);
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)payloadLength);
            ip[6] = packet.Protocol;
            ip[7] = packet.HopLimit;
            packet.Source.CopyTo(ip[8..]);
            packet.Destination.CopyTo(ip[24..]);
            return Proto.Ethernet + Proto.Ipv6Header;
        }
        ip[0] = 0x45;
        ip[1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(payloadLength + Proto.Ipv4Header));
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], id);
        BinaryPrimitives.WriteUInt16BigEndian(ip[6..], packet.Protocol == Proto.Tcp ? (ushort)0x4000 : fragment);
        ip[8] = packet.HopLimit;
        ip[9] = packet.Protocol;
        ip[10..12].Clear();
        packet.Source.CopyTo(ip[12..]);
        packet.Destination.CopyTo(ip[16..]);
        InetChecksum.Store(ip[10..], InetChecksum.Add(0, ip[..Proto.Ipv4Header]));
        return Proto.Ethernet + Proto.Ipv4Header;
    }
}
