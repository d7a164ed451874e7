using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Wire;

namespace NicHost.Consomme.Ip;

/// <summary>
/// The guest's frames on their way in: one private copy of the headers, everything checked on that copy, then to whoever is meant.
/// </summary>
internal sealed unsafe partial class Ingress : IDisposable
{
    private readonly NatContext _context;
    private readonly Network _network;
    private readonly IFrameSinks _sinks;
    private readonly Reassembler _reassembler;
    private readonly ulong _guestMac;
    private readonly ulong _ourMac;
    private bool _inReassembled;

    public Ingress(NatContext context, IFrameSinks sinks)
    {
        _context = context;
        _network = context.Network;
        _sinks = sinks;
        _reassembler = new Reassembler(context.Loop);
        _guestMac = _network.GuestMac.Value;
        _ourMac = _network.GatewayMac.Value;
    }

    public Reassembler Reassembler => _reassembler;

    /// <summary>Deals with one frame; whatever is wrong with it is counted.</summary>
    [SkipLocalsInit]
    public void Frame(ReadOnlySpan<Segment> segments, int length, in FrameOffload offload, int queue, QueueCounters counters)
    {
        Span<byte> copy = stackalloc byte[GuestFrame.HeaderCapacity];
        copy = copy[..Math.Min(length, copy.Length)];
        if (length is < FrameLimits.EthernetHeader or > FrameLimits.MaxFrame || SegmentOps.CopyTo(segments, 0, copy) != copy.Length)
        {
            counters.DropTx(DropReason.Malformed);
            return;
        }
        var frame = new GuestFrame { Headers = copy, Segments = segments, Length = length, Offload = offload, Queue = queue };
        var type = Ethernet(ref frame, out var drop);
        switch (type)
        {
            case FrameWriter.EtherTypeIpv4:
                drop = Ipv4(ref frame);
                break;
            case FrameWriter.EtherTypeIpv6:
                drop = _network.HasV6 ? Ipv6(ref frame) : DropReason.Unsupported;
                break;
            case FrameWriter.EtherTypeArp:
                _sinks.Arp(queue, copy[frame.NetworkOffset..], counters);
                break;
        }
        if (drop is { } reason) counters.DropTx(reason);
    }

    public void Dispose() => _reassembler.Dispose();

    /// <returns>The EtherType, or 0 with a reason.</returns>
    private ushort Ethernet(ref GuestFrame frame, out DropReason? drop)
    {
        drop = null;
        var destination = BinaryPrimitives.ReadUInt64BigEndian(frame.Headers) >> 16;
        var source = BinaryPrimitives.ReadUInt64BigEndian(frame.Headers[4..]) & 0xffff_ffff_ffff;
        frame.NetworkOffset = FrameLimits.EthernetHeader;
        if (source != _guestMac)
        {
            drop = DropReason.Spoofed;
            return 0;
        }
        var group = (destination & 0x0100_0000_0000) != 0;
        if (destination != _ourMac && !group)
        {
            drop = DropReason.NotForUs;
            return 0;
        }
        var type = BinaryPrimitives.ReadUInt16BigEndian(frame.Headers[12..]);
        if (type is FrameWriter.EtherTypeIpv4 or FrameWriter.EtherTypeIpv6 or FrameWriter.EtherTypeArp) return type;
        // Tagged frames belong to a network that is not here; taking them for untagged ones would let the guest cross over.
        drop = DropReason.Unsupported;
        return 0;
    }

    /// <summary>Checks that hold for both IP versions, and the way on.</summary>
    private DropReason? Transport(ref GuestFrame frame)
    {
        if (frame.Headers.Length < frame.TransportOffset) return DropReason.Malformed;
        if (CheckHeader(ref frame) is { } malformed) return malformed;
        if (CheckOffload(frame) is { } contradiction) return contradiction;
        if (frame.Offload.Checksum == ChecksumState.Unknown && !ChecksumHolds(frame)) return DropReason.BadChecksum;
        return Dispatch(ref frame);
    }

    private static DropReason? CheckHeader(ref GuestFrame frame)
    {
        var transport = frame.Transport;
        switch (frame.Protocol)
        {
            case IpProtocol.Tcp:
                if (transport.Length < 20) return DropReason.Malformed;
                var header = (transport[12] >> 4) * 4;
                return header < 20 || header > transport.Length ? DropReason.Malformed : null;
            case IpProtocol.Udp:
                if (transport.Length < FrameWriter.UdpHeader) return DropReason.Malformed;
                // The length field of a super-frame is whatever the guest's stack left there.
                if (frame.Offload.Gso != GsoKind.None) return null;
                var length = BinaryPrimitives.ReadUInt16BigEndian(transport[4..]);
                if (length < FrameWriter.UdpHeader || length > frame.TransportLength) return DropReason.Malformed;
                frame.TransportLength = length;
                return null;
            case IpProtocol.Icmp or IpProtocol.Icmpv6:
                return transport.Length < 4 ? DropReason.Malformed : null;
            default:
                return null;
        }
    }

    private static DropReason? CheckOffload(in GuestFrame frame)
    {
        ref readonly var offload = ref frame.Offload;
        if (offload.Checksum == ChecksumState.Partial)
        {
            var field = frame.Protocol switch { IpProtocol.Tcp => 16, IpProtocol.Udp => 6, IpProtocol.Icmpv6 => 2, _ => -1 };
            if (offload.ChecksumStart != frame.TransportOffset || offload.ChecksumOffset != field) return DropReason.BadOffload;
        }
        if (offload.Gso == GsoKind.None) return null;
        var fits = offload.Gso switch
        {
            GsoKind.TcpV4 => frame.IsV4 && frame.Protocol == IpProtocol.Tcp,
            GsoKind.TcpV6 => !frame.IsV4 && frame.Protocol == IpProtocol.Tcp,
            GsoKind.Udp => frame.Protocol == IpProtocol.Udp,
            _ => false,
        };
        // One checksum field cannot be complete for several segments.
        return fits && offload.SegmentSize > 0 && offload.Checksum != ChecksumState.Unknown ? null : DropReason.BadOffload;
    }

    private static bool ChecksumHolds(in GuestFrame frame)
    {
        var sum = default(InternetSum);
        switch (frame.Protocol)
        {
            case IpProtocol.Udp when frame.Transport[6] == 0 && frame.Transport[7] == 0:
                return frame.IsV4; // RFC 768: none was made. RFC 8200 8.1: IPv6 has to.
            case IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Icmpv6:
                sum = InternetSum.WithPseudoHeader(frame.Source, frame.Destination, frame.Protocol, frame.TransportLength);
                break;
            case IpProtocol.Icmp:
                break;
            default:
                return true;
        }
        var inCopy = frame.Transport;
        sum.Add(inCopy);
        sum.Add(frame.Segments, frame.TransportOffset + inCopy.Length, frame.TransportLength - inCopy.Length);
        return sum.Checksum == 0;
    }

    private DropReason? Dispatch(ref GuestFrame frame)
    {
        var isGroup = frame.Destination.IsMulticast || frame.Destination.IsBroadcast
            || (frame.IsV4 && frame.Destination.V4 == _network.BroadcastV4);
        if (isGroup || frame.Source.IsUnspecified) return _sinks.Local(ref frame) ? null : DropReason.NotForUs;
        _context.GuestAddresses.Seen(frame.Source);
        // RFC 4291 2.5.6: a link-local source never crosses a router.
        if (frame.Source.IsLinkLocal && !frame.Destination.IsLinkLocal && !_network.InSubnet(frame.Destination)) return DropReason.NotForUs;
        if (frame.HopLimit <= 1 && !_network.InSubnet(frame.Destination) && !frame.Destination.IsLinkLocal)
        {
            // We stand where the guest's first router stands: traceroute's first line.
            _context.Icmp.Send(ref frame, IcmpError.TimeExceeded);
            return DropReason.NotForUs;
        }
        return _sinks.Unicast(ref frame) ? null : DropReason.Unsupported;
    }
}

/// <summary>Where checked frames go.</summary>
internal interface IFrameSinks
{
    void Arp(int queue, ReadOnlySpan<byte> arp, QueueCounters counters);

    /// <summary>A frame to a group, or from no address yet: configuration protocols only. False when nobody wants it.</summary>
    bool Local(ref GuestFrame frame);

    /// <summary>A frame to one address. False when its protocol is not spoken.</summary>
    bool Unicast(ref GuestFrame frame);

    /// <summary>Ends a batch early: what was gathered is sent, because its memory goes away.</summary>
    void EndBatch();
}
