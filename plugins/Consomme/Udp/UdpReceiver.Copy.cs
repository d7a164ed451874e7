using NicHost.Consomme.Core;
using NicHost.Contracts.Memory;

namespace NicHost.Consomme.Udp;

/// <content>Delivery by copy: fragments, and merged datagrams for guests that do not take them.</content>
internal sealed unsafe partial class UdpReceiver
{
    /// <summary>Copies what a message left in guest buffers to just before what it left in the spill area: one contiguous payload.</summary>
    private void SaveHead(int index, int header)
    {
        ref readonly var slot = ref _slots[index];
        var head = Math.Min((int)_headers[index].Length, slot.Room);
        // SAFETY: head <= Room < SpillFront, so the copy ends exactly where the spilled part begins.
        var place = new Span<byte>(_spill + ((long)index * Spill) + SpillFront - slot.Room, head);
        SegmentOps.CopyTo(_segments.AsSpan(slot.FirstSegment, slot.Segments), header, place);
    }

    private void DeliverCopy(UdpSocket socket, int index, in Arrival arrival)
    {
        ref readonly var slot = ref _slots[index];
        // SAFETY: written by SaveHead and by the kernel, together Length bytes, at most Spill in all.
        var payload = new ReadOnlySpan<byte>(_spill + ((long)index * Spill) + SpillFront - slot.Room, (int)_headers[index].Length);
        var headers = FrameWriter.HeaderLength(socket.IsV4) - FrameWriter.Ethernet + FrameWriter.UdpHeader;
        var isSuper = arrival.SegmentSize > 0 && payload.Length > arrival.SegmentSize;
        if (isSuper && CanGiveSuper(socket, arrival, _context.Port.Accepted(socket.Queue), _network.Mtu - headers)
            && payload.Length + FrameWriter.Ethernet + headers <= _context.Port.MaxFrame(socket.Queue))
        {
            socket.ExpectSuper = SuperPatience;
            SuperFrames++;
            _egress.SendWhole(socket.Queue, arrival.From, arrival.To, payload, arrival.SegmentSize, arrival.TrafficClass);
            Count(arrival, payload.Length, (payload.Length + arrival.SegmentSize - 1) / arrival.SegmentSize);
            return;
        }
        var size = isSuper ? arrival.SegmentSize : Math.Max(payload.Length, 1);
        for (var at = 0; at < Math.Max(payload.Length, 1); at += size)
        {
            var datagram = payload.Slice(at, Math.Min(size, payload.Length - at));
            _egress.Send(socket.Queue, arrival.From, arrival.To, datagram, arrival.TrafficClass);
            Count(arrival, datagram.Length, 1);
        }
    }
}
