using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Wire;

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
            SendWhole(socket.Queue, arrival, payload, arrival.SegmentSize);
            Count(arrival, (payload.Length + arrival.SegmentSize - 1) / arrival.SegmentSize);
            return;
        }
        var size = isSuper ? arrival.SegmentSize : Math.Max(payload.Length, 1);
        for (var at = 0; at < Math.Max(payload.Length, 1); at += size)
        {
            var datagram = payload.Slice(at, Math.Min(size, payload.Length - at));
            if (datagram.Length + headers <= _network.Mtu) SendWhole(socket.Queue, arrival, datagram, 0);
            else SendFragments(socket.Queue, arrival, datagram);
            Count(arrival, 1);
        }
    }

    [SkipLocalsInit]
    private void SendWhole(int queue, in Arrival arrival, ReadOnlySpan<byte> payload, int segmentSize)
    {
        Span<byte> bytes = stackalloc byte[FrameWriter.Ethernet + FrameWriter.Ipv6Header + FrameWriter.UdpHeader];
        var at = FrameWriter.WriteIp(
            bytes, _network, arrival.From.Address, arrival.To.Address, IpProtocol.Udp, FrameWriter.UdpHeader + payload.Length);
        FrameWriter.WriteUdp(bytes[at..], arrival.From.Address, arrival.From.Port, arrival.To.Address, arrival.To.Port, payload.Length);
        var offload = FrameWriter.PartialUdp(at);
        if (segmentSize > 0)
        {
            offload.Gso = GsoKind.Udp;
            offload.SegmentSize = (ushort)segmentSize;
        }
        _context.Port.Send(queue, bytes[..(at + FrameWriter.UdpHeader)], payload, offload);
    }

    /// <summary>A fragment's checksum covers the whole datagram and cannot be left to the guest.</summary>
    private void SendFragments(int queue, in Arrival arrival, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[FrameWriter.UdpHeader];
        FrameWriter.WriteUdp(header, arrival.From.Address, arrival.From.Port, arrival.To.Address, arrival.To.Port, payload.Length);
        var sum = default(InternetSum);
        sum.Add(header);
        sum.Add(payload);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], sum.Checksum == 0 ? (ushort)0xffff : sum.Checksum);
        _ip.SendFragments(queue, arrival.From.Address, arrival.To.Address, IpProtocol.Udp, header, payload);
    }
}
