using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NicHost.Consomme.Core;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Linux;
using NicHost.Wire;

namespace NicHost.Consomme.Udp;

/// <summary>
/// Reads sockets straight into the guest's buffers, several datagrams per call. What does not fit that way (longer than the MTU, merged
/// by the kernel, or not for the guest at all) ends the run: it and what came after it are delivered by copy.
/// </summary>
internal sealed unsafe partial class UdpReceiver
{
    private const int MaxMessages = 32;
    private const int MaxSegments = 1024;

    /// <summary>Datagrams per event; a level-triggered socket comes back at once, after the others had their turn.</summary>
    private const int Budget = 256;

    /// <summary>How many receives keep room for a super-frame after one came.</summary>
    private const int SuperPatience = 16;

    /// <summary>Per message: room for what a guest buffer already holds, then what did not fit there.</summary>
    private const int SpillFront = 65536;
    private const int Spill = 2 * 65536;
    private const int ControlLength = 128;

    private readonly UdpProtocol _protocol;
    private readonly NatContext _context;
    private readonly Network _network;
    private readonly UdpEgress _egress;

    // Pinned or native for life: the kernel writes through pointers into them.
    private readonly MMsgHdr[] _headers = GC.AllocateArray<MMsgHdr>(MaxMessages, pinned: true);
    private readonly SockAddr[] _names = GC.AllocateArray<SockAddr>(MaxMessages, pinned: true);
    private readonly ulong[] _controls = GC.AllocateArray<ulong>(MaxMessages * ControlLength / 8, pinned: true);
    private readonly IoVec[] _vectors = GC.AllocateArray<IoVec>(MaxSegments + MaxMessages, pinned: true);
    private readonly Segment[] _segments = new Segment[MaxSegments];
    private readonly Slot[] _slots = new Slot[MaxMessages];
    private byte* _spill;

    public UdpReceiver(UdpProtocol protocol, NatContext context, UdpEgress egress)
    {
        _protocol = protocol;
        _context = context;
        _network = context.Network;
        _egress = egress;
    }

    public long Datagrams { get; private set; }

    public long Calls { get; private set; }

    /// <summary>Payload of the datagrams.</summary>
    public long Bytes { get; private set; }

    public long SuperFrames { get; private set; }

    /// <summary>Reads a socket until it is empty, the guest has no buffers, or the budget is used up.</summary>
    public void Receive(UdpSocket socket)
    {
        // Forwards are older than any queue, and a guest that resets may accept something else.
        socket.SetMerging(_protocol.TakesMerged(socket.Queue, socket.IsV4));
        for (var budget = Budget; budget > 0 && socket.IsOpen;)
        {
            if (_context.Port.Device(socket.Queue) is not { } device)
            {
                socket.PauseForRoom(_context.Port);
                return;
            }
            var wanted = socket.ExpectSuper > 0 ? 1 : socket.ExpectMany;
            var received = Run(socket, device, wanted);
            if (received < 0) return;
            budget -= received;
            if (socket.ExpectSuper == 0) socket.ExpectMany = Math.Clamp(received * 2, 2, MaxMessages);
            if (received < wanted && socket.ExpectSuper == 0) return;
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(_spill);
        _spill = null;
    }

    /// <returns>Datagrams received; −1 when there is nothing more to do now.</returns>
    private int Run(UdpSocket socket, IDeviceQueue device, int wanted)
    {
        if (_spill == null) _spill = (byte*)NativeMemory.Alloc((nuint)MaxMessages * Spill);
        var header = FrameWriter.HeaderLength(socket.IsV4) + FrameWriter.UdpHeader;
        var full = socket.ExpectSuper > 0
            ? Math.Min(_context.Port.MaxFrame(socket.Queue), FrameWriter.Ethernet + ushort.MaxValue)
            : Math.Min(_context.Port.MaxFrame(socket.Queue), FrameWriter.Ethernet + _network.Mtu);
        var reserved = Reserve(socket, device, wanted, full, header);
        if (reserved == 0)
        {
            if (socket.ExpectSuper > 0)
            {
                socket.ExpectSuper = 0; // perhaps there is room for less
                return 0;
            }
            socket.PauseForRoom(_context.Port);
            return -1;
        }
        // SAFETY: reserved <= MaxMessages headers were prepared; all they point to is pinned, native, or reserved guest memory.
        var result = Sockets.RecvMMsg(socket.Fd, (MMsgHdr*)Unsafe.AsPointer(ref _headers[0]), reserved, MsgFlags.DontWait);
        Calls++;
        if (result.Failed)
        {
            for (var i = 0; i < reserved; i++) device.Release(_slots[i].Ticket);
            if (result.WouldBlock) return -1;
            _protocol.Errors.Drain(socket);
            return 1;
        }
        if (socket.ExpectSuper > 0) socket.ExpectSuper--;
        Deliver(socket, device, reserved, result.Count, header);
        return result.Count;
    }

    private int Reserve(UdpSocket socket, IDeviceQueue device, int wanted, int full, int header)
    {
        var segmentsUsed = 0;
        var vectorsUsed = 0;
        var count = 0;
        while (count < wanted && MaxSegments - segmentsUsed >= FrameLimits.MaxRxSegments)
        {
            var segments = device.Reserve(full, _segments.AsSpan(segmentsUsed), out var ticket);
            if (segments == 0) break;
            var room = MemoryMarshal.Cast<IoVec, Segment>(_vectors.AsSpan(vectorsUsed, FrameLimits.MaxRxSegments));
            var vectors = SegmentOps.Slice(_segments.AsSpan(segmentsUsed, segments), header, full - header, room);
            _slots[count] = new Slot(ticket, segmentsUsed, segments, full - header);
            Prepare(count, vectorsUsed, vectors);
            segmentsUsed += segments;
            vectorsUsed += vectors + 1;
            count++;
        }
        return count;
    }

    private void Prepare(int index, int firstVector, int vectors)
    {
        // SAFETY: index < MaxMessages; the spill area has Spill bytes per message, its second half takes what is left of a datagram.
        _vectors[firstVector + vectors] = new IoVec(_spill + ((long)index * Spill) + SpillFront, Spill - SpillFront);
        ref var message = ref _headers[index].Header;
        message = default;
        message.Name = (nint)Unsafe.AsPointer(ref _names[index]);
        message.NameLength = SockAddr.MaxLength;
        message.Segments = (IoVec*)Unsafe.AsPointer(ref _vectors[firstVector]);
        message.SegmentCount = (nuint)(vectors + 1);
        message.Control = (nint)Unsafe.AsPointer(ref _controls[index * ControlLength / 8]);
        message.ControlLength = ControlLength;
    }

    private void Deliver(UdpSocket socket, IDeviceQueue device, int reserved, int received, int header)
    {
        var accepted = _context.Port.Accepted(socket.Queue);
        var index = 0;
        for (; index < received; index++)
        {
            if (!Resolve(socket, index, out var arrival) || !Commit(socket, device, index, header, arrival, accepted)) break;
        }
        if (index > 0) _context.Port.Touch(socket.Queue);
        // From the first that does not fit on: keep the payloads, give the buffers back, deliver by copy.
        for (var i = index; i < received; i++) SaveHead(i, header);
        for (var i = index; i < reserved; i++) device.Release(_slots[i].Ticket);
        for (var i = index; i < received; i++)
        {
            if (Resolve(socket, i, out var arrival)) DeliverCopy(socket, i, arrival);
            else _context.Port.Counters(socket.Queue).DropRx(socket.Flow is null ? DropReason.FlowLimit : DropReason.NotForUs);
        }
    }

    /// <returns>False when the message is not one plain datagram, or super-frame, that the guest takes as it is.</returns>
    private bool Commit(UdpSocket socket, IDeviceQueue device, int index, int header, in Arrival arrival, OffloadSet accepted)
    {
        ref readonly var slot = ref _slots[index];
        var length = (int)_headers[index].Length;
        var room = _network.Mtu - (header - FrameWriter.Ethernet);
        var isSuper = arrival.SegmentSize > 0 && length > arrival.SegmentSize;
        if (length > slot.Room || (isSuper ? !CanGiveSuper(socket, arrival, accepted, room) : length > room)) return false;

        var segments = _segments.AsSpan(slot.FirstSegment, slot.Segments);
        var offload = WriteHeader(segments, header, arrival, length);
        if (isSuper)
        {
            offload.Gso = GsoKind.Udp;
            offload.SegmentSize = (ushort)arrival.SegmentSize;
            SuperFrames++;
            socket.ExpectSuper = SuperPatience;
        }
        if ((accepted & OffloadSet.Checksum) == 0)
        {
            GuestPort.CompleteChecksum(segments, header + length, offload);
            offload = default;
        }
        device.Commit(slot.Ticket, header + length, offload);
        Count(arrival, length, isSuper ? (length + arrival.SegmentSize - 1) / arrival.SegmentSize : 1);
        return true;
    }

    private static bool CanGiveSuper(UdpSocket socket, in Arrival arrival, OffloadSet accepted, int room) =>
        arrival.SegmentSize <= room && (accepted & (socket.IsV4 ? OffloadSet.UsoV4 : OffloadSet.UsoV6)) != 0;

    [SkipLocalsInit]
    private FrameOffload WriteHeader(ReadOnlySpan<Segment> segments, int header, in Arrival arrival, int length)
    {
        Span<byte> bytes = stackalloc byte[FrameWriter.Ethernet + FrameWriter.Ipv6Header + FrameWriter.UdpHeader];
        var at = FrameWriter.WriteIp(
            bytes, _network, arrival.From.Address, arrival.To.Address, IpProtocol.Udp, FrameWriter.UdpHeader + length, 64, arrival.TrafficClass);
        FrameWriter.WriteUdp(bytes[at..], arrival.From.Address, arrival.From.Port, arrival.To.Address, arrival.To.Port, length);
        SegmentOps.CopyFrom(segments, 0, bytes[..header]);
        return FrameWriter.PartialUdp(at);
    }

    /// <summary>Who a message is from and for. False when the guest must not see it.</summary>
    private bool Resolve(UdpSocket socket, int index, out Arrival arrival)
    {
        arrival = default;
        ref readonly var message = ref _headers[index].Header;
        var local = default(IpAddr);
        var segmentSize = 0;
        byte trafficClass = 0;
        var control = message.ReadControl();
        while (control.MoveNext())
        {
            if (control.Is(SocketLevel.Udp, UdpOption.Gro) && control.TryRead(out int size)) segmentSize = size;
            else if (control.Is(SocketLevel.Ip, IpOption.Tos) && control.TryRead(out byte tos)) trafficClass = tos;
            else if (control.Is(SocketLevel.Ipv6, Ipv6Option.Tclass) && control.TryRead(out int tclass)) trafficClass = (byte)tclass;
            else if (control.Is(SocketLevel.Ip, IpOption.PktInfo) && control.TryRead(out PacketInfo4 four)) local = IpAddr.FromV4(four.Local);
            else if (control.Is(SocketLevel.Ipv6, Ipv6Option.PktInfo) && control.TryRead(out PacketInfo6 six)) local = IpAddr.FromV6(six.Address);
        }
        ref readonly var name = ref _names[index];
        if (socket.Flow is { } flow)
        {
            var from = _protocol.Seen(name);
            // Nobody on the host's loopback is known to a guest that may not go there.
            var isKnown = _protocol.IsPresentable(Sock.Address(name)) || (_context.Model.Destinations.HostLoopback && Sock.Address(name).IsLoopback);
            if (!isKnown) return false;
            arrival = new Arrival(flow, from, flow.Guest, segmentSize, trafficClass);
            return true;
        }
        if (_protocol.PeerOf(socket, name) is not { } peer) return false;
        peer.Local = local;
        arrival = new Arrival(peer, peer.Visible, peer.Guest, segmentSize, trafficClass);
        return true;
    }

    private void Count(in Arrival arrival, int bytes, int datagrams)
    {
        Bytes += bytes;
        Datagrams += datagrams;
        arrival.Flow.Received += datagrams;
        _protocol.Table.Touch(arrival.Flow);
    }

    /// <summary>A reservation and where its segments are.</summary>
    private readonly record struct Slot(RxTicket Ticket, int FirstSegment, int Segments, int Room);

    /// <summary>What is known of a received message.</summary>
    private readonly record struct Arrival(UdpFlow Flow, UdpEnd From, UdpEnd To, int SegmentSize, byte TrafficClass);
}
