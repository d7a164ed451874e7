using System.Buffers.Binary;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Wire;

namespace NicHost.Consomme.Ip;

/// <content>The two IP headers, and fragments.</content>
internal sealed unsafe partial class Ingress
{
    private const ushort DontFragment = 0x4000;
    private const ushort MoreFragments = 0x2000;
    private const int MaxExtensionHeaders = 8;

    private DropReason? Ipv4(ref GuestFrame frame)
    {
        var header = frame.Network;
        if (header.Length < FrameWriter.Ipv4Header || header[0] >> 4 != 4) return DropReason.Malformed;
        var headerLength = (header[0] & 15) * 4;
        if (headerLength < FrameWriter.Ipv4Header || headerLength > header.Length) return DropReason.Malformed;
        var isSuper = frame.Offload.Gso != GsoKind.None;
        // Senders of super-frames leave the length 0 or cut to 16 bits (NDIS LSO): the frame's own length counts then.
        int total = isSuper ? frame.Length - frame.NetworkOffset : BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
        if (total < headerLength || total > frame.Length - frame.NetworkOffset) return DropReason.Malformed;
        if (!isSuper && total > _network.Mtu && !_inReassembled) return DropReason.TooLong;
        var isOpen = isSuper || (frame.Offload.Flags & FrameFlags.Ipv4HeaderChecksum) != 0;
        if (!isOpen && InternetSum.Of(header[..headerLength]) != 0) return DropReason.BadChecksum;

        frame.Source = IpAddr.FromV4(header[12..]);
        frame.Destination = IpAddr.FromV4(header[16..]);
        frame.Protocol = header[9];
        frame.HopLimit = header[8];
        frame.TrafficClass = header[1];
        frame.TransportOffset = frame.NetworkOffset + headerLength;
        frame.TransportLength = total - headerLength;
        if (frame.HopLimit == 0) return DropReason.Malformed;
        if (frame.Source != _network.GuestV4 && !frame.Source.IsUnspecified) return DropReason.Spoofed;

        var fragment = BinaryPrimitives.ReadUInt16BigEndian(header[6..]);
        frame.DontFragment = (fragment & DontFragment) != 0;
        if ((fragment & ~DontFragment) == 0) return Transport(ref frame);
        if (isSuper || frame.Offload.Checksum == ChecksumState.Partial) return DropReason.BadOffload;
        return Fragment(ref frame, new FragmentInfo(frame.Source, frame.Destination, BinaryPrimitives.ReadUInt16BigEndian(header[4..]),
            frame.Protocol, (fragment & 0x1fff) * 8, frame.TransportLength, (fragment & MoreFragments) != 0));
    }

    private DropReason? Ipv6(ref GuestFrame frame)
    {
        var header = frame.Network;
        if (header.Length < FrameWriter.Ipv6Header || header[0] >> 4 != 6) return DropReason.Malformed;
        var isSuper = frame.Offload.Gso != GsoKind.None;
        var room = frame.Length - frame.NetworkOffset - FrameWriter.Ipv6Header;
        int payload = isSuper ? room : BinaryPrimitives.ReadUInt16BigEndian(header[4..]);
        if (payload > room) return DropReason.Malformed;
        if (!isSuper && payload + FrameWriter.Ipv6Header > _network.Mtu && !_inReassembled) return DropReason.TooLong;
        frame.Source = IpAddr.FromV6(header[8..]);
        frame.Destination = IpAddr.FromV6(header[24..]);
        frame.HopLimit = header[7];
        frame.TrafficClass = (byte)(BinaryPrimitives.ReadUInt16BigEndian(header) >> 4);
        frame.DontFragment = !_inReassembled;
        // A mapped address would pass for IPv4 from here on.
        if (frame.Source.IsV4 || frame.Destination.IsV4) return DropReason.Forbidden;
        if (frame.HopLimit == 0) return DropReason.Malformed;
        if (!frame.Source.IsUnspecified && !_network.IsGuestSource(frame.Source)) return DropReason.Spoofed;
        return Extensions(ref frame, header[6], payload);
    }

    /// <summary>Walks the extension headers (RFC 8200 4), which have to lie in the private copy.</summary>
    private DropReason? Extensions(ref GuestFrame frame, byte next, int payload)
    {
        var at = frame.NetworkOffset + FrameWriter.Ipv6Header;
        var end = at + payload;
        for (var count = 0; count < MaxExtensionHeaders; count++)
        {
            if (next is not (IpProtocol.HopByHop or IpProtocol.Routing or IpProtocol.DestinationOptions or IpProtocol.Fragment))
            {
                frame.Protocol = next;
                frame.TransportOffset = at;
                frame.TransportLength = end - at;
                return next == IpProtocol.None ? DropReason.NotForUs : Transport(ref frame);
            }
            if (at + 8 > end || at + 8 > frame.Headers.Length) return DropReason.Malformed;
            var extension = frame.Headers[at..];
            if (next == IpProtocol.HopByHop && count > 0) return DropReason.Malformed;
            // We are no waypoint of source routes (RFC 5095).
            if (next == IpProtocol.Routing && extension[3] != 0) return DropReason.Unsupported;
            var length = next == IpProtocol.Fragment ? 8 : (extension[1] + 1) * 8;
            if (at + length > end || at + length > frame.Headers.Length) return DropReason.Malformed;
            if (next == IpProtocol.Fragment)
            {
                var field = BinaryPrimitives.ReadUInt16BigEndian(extension[2..]);
                // An atomic fragment is a whole datagram (RFC 6946).
                if ((field & ~6) != 0)
                {
                    if (frame.Offload.Gso != GsoKind.None || frame.Offload.Checksum == ChecksumState.Partial) return DropReason.BadOffload;
                    frame.TransportOffset = at + 8;
                    return Fragment(ref frame, new FragmentInfo(frame.Source, frame.Destination, BinaryPrimitives.ReadUInt32BigEndian(extension[4..]),
                        extension[0], field & 0xfff8, end - at - 8, (field & 1) != 0));
                }
            }
            next = extension[0];
            at += length;
        }
        return DropReason.Unsupported;
    }

    private DropReason? Fragment(ref GuestFrame frame, in FragmentInfo info)
    {
        if (_inReassembled || frame.Source.IsUnspecified) return DropReason.Fragment;
        var result = _reassembler.Add(info, frame.Segments, frame.TransportOffset, out var slot);
        if (result == FragmentResult.Refused) return DropReason.Fragment;
        if (result == FragmentResult.Complete) Reassembled(slot!, frame, info.Protocol);
        return null;
    }

    /// <summary>Sends a datagram round again as one frame, from our own memory.</summary>
    private void Reassembled(ReassemblySlot slot, in GuestFrame last, byte protocol)
    {
        var v4 = last.IsV4;
        var start = ReassemblySlot.HeaderRoom - FrameWriter.HeaderLength(v4);
        var length = FrameWriter.HeaderLength(v4) + slot.Length;
        if (slot.Length <= ushort.MaxValue - FrameWriter.Ipv4Header)
        {
            var memory = slot.Memory[start..];
            FrameWriter.WriteEthernet(memory, _network.GatewayMac, _network.GuestMac, v4 ? FrameWriter.EtherTypeIpv4 : FrameWriter.EtherTypeIpv6);
            var ip = memory[FrameWriter.Ethernet..];
            if (v4) FrameWriter.WriteIpv4(ip, last.Source, last.Destination, protocol, slot.Length, last.HopLimit, last.TrafficClass, 0, 0);
            else FrameWriter.WriteIpv6(ip, last.Source, last.Destination, protocol, slot.Length, last.HopLimit, last.TrafficClass);
            var whole = slot.SegmentFrom(start, length);
            _inReassembled = true;
            Frame(new ReadOnlySpan<Segment>(in whole), length, default, last.Queue, _context.Port.Counters(last.Queue));
            _inReassembled = false;
            // What was gathered points into the slot.
            _sinks.EndBatch();
        }
        slot.Free();
    }
}
