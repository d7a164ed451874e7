using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Linux;

namespace NicHost.Consomme.Udp;

/// <summary>
/// Gathers the datagrams of one batch and sends them with one system call per socket, straight out of guest memory. What a message
/// says about its frame is kept until the call, because the frame's header copy is gone by then.
/// </summary>
internal sealed unsafe class UdpSender(UdpProtocol protocol, NatContext context)
{
    public const int MaxMessages = 64;
    private const int MaxVectors = 1024;
    private const int ControlLength = 128;

    /// <summary>The kernel's UDP_MAX_SEGMENTS before Linux 6.9.</summary>
    private const int MaxSegments = 64;
    private const int QuoteLength = 28;

    // Pinned for life: the kernel reads them, and pointers into them are kept from one frame to the next.
    private readonly MMsgHdr[] _headers = GC.AllocateArray<MMsgHdr>(MaxMessages, pinned: true);
    private readonly IoVec[] _vectors = GC.AllocateArray<IoVec>(MaxVectors, pinned: true);
    private readonly SockAddr[] _names = GC.AllocateArray<SockAddr>(MaxMessages, pinned: true);
    private readonly ulong[] _controls = GC.AllocateArray<ulong>(MaxMessages * ControlLength / 8, pinned: true);
    private readonly Pending[] _pending = new Pending[MaxMessages];
    private readonly UdpSocket[] _sockets = new UdpSocket[MaxMessages];
    private readonly byte[] _quotes = new byte[MaxMessages * QuoteLength];
    private int _count;
    private int _vectorCount;
    private int _socketCount;

    public long Datagrams { get; private set; }

    public long Calls { get; private set; }

    /// <summary>Payload of the datagrams.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adds a frame's datagram, or the several of a super-frame.</summary>
    public void Add(ref GuestFrame frame, UdpFlow flow, in SockAddr to, int hopLimit)
    {
        var socket = flow.Socket;
        var mode = MtuMode(frame);
        if (socket.NeedsMtuDiscover(mode))
        {
            Flush();
            socket.SetMtuDiscover(mode);
        }
        if (socket.HopLimit < 0) socket.SetHopLimit(hopLimit);
        var payload = frame.TransportLength - FrameWriter.UdpHeader;
        var at = frame.TransportOffset + FrameWriter.UdpHeader;
        if (frame.Offload.Gso == GsoKind.None || payload <= frame.Offload.SegmentSize)
        {
            AddMessage(ref frame, flow, to, hopLimit, at, payload, 0);
            return;
        }
        int size = frame.Offload.SegmentSize;
        var isTooLong = size > context.Network.Mtu - (frame.IsV4 ? FrameWriter.Ipv4Header : FrameWriter.Ipv6Header) - FrameWriter.UdpHeader;
        if (isTooLong || payload > size * FrameLimits.MaxUdpSegments)
        {
            context.Port.Counters(frame.Queue).DropTx(DropReason.BadOffload);
            return;
        }
        for (var piece = 0; piece < payload; piece += size * MaxSegments)
        {
            var length = Math.Min(size * MaxSegments, payload - piece);
            AddMessage(ref frame, flow, to, hopLimit, at + piece, length, length > size ? size : 0);
        }
    }

    /// <summary>Sends everything; the guest may have its memory back afterwards.</summary>
    public void Flush()
    {
        for (var i = 0; i < _socketCount; i++)
        {
            Send(_sockets[i]);
            _sockets[i] = null!;
        }
        _count = _vectorCount = _socketCount = 0;
    }

    /// <summary>IPv4 without DF, and datagrams that the guest itself fragmented, may be fragmented again on the way.</summary>
    private static MtuDiscover MtuMode(in GuestFrame frame) =>
        frame.DontFragment ? MtuDiscover.Do : frame.IsV4 ? MtuDiscover.Dont : MtuDiscover.Want;

    private void AddMessage(ref GuestFrame frame, UdpFlow flow, in SockAddr to, int hopLimit, int at, int length, int segmentSize)
    {
        if (_count == MaxMessages || _vectorCount + FrameLimits.MaxTxSegments > MaxVectors) Flush();
        var room = System.Runtime.InteropServices.MemoryMarshal.Cast<IoVec, Segment>(_vectors.AsSpan(_vectorCount));
        var vectors = SegmentOps.Slice(frame.Segments, at, length, room);
        if (vectors < 0)
        {
            context.Port.Counters(frame.Queue).DropTx(DropReason.TooLong);
            return;
        }
        var index = _count++;
        _names[index] = to;
        ref var header = ref _headers[index];
        header = default;
        // SAFETY: all arrays are pinned for life; index < MaxMessages, and the vectors were just written below MaxVectors.
        header.Header.Name = (nint)Unsafe.AsPointer(ref _names[index]);
        header.Header.NameLength = (uint)to.Length;
        header.Header.Segments = (IoVec*)Unsafe.AsPointer(ref _vectors[_vectorCount]);
        header.Header.SegmentCount = (nuint)vectors;
        _vectorCount += vectors;
        AddControl(ref header.Header, index, flow, hopLimit, segmentSize, frame.TrafficClass);

        frame.Transport[..Math.Min(frame.Transport.Length, QuoteLength)].CopyTo(_quotes.AsSpan(index * QuoteLength));
        _pending[index] = new Pending(flow, frame.Destination, frame.Queue, segmentSize, length, -1);
        Chain(flow.Socket, index);
        Bytes += length;
        if (segmentSize > 0) Datagrams += (length + segmentSize - 1) / segmentSize;
        else Datagrams++;
    }

    private void AddControl(ref MsgHdr header, int index, UdpFlow flow, int hopLimit, int segmentSize, int trafficClass)
    {
        // SAFETY: ControlLength bytes per message, index < MaxMessages.
        var place = new Span<byte>(Unsafe.AsPointer(ref _controls[index * ControlLength / 8]), ControlLength);
        var writer = new ControlWriter(place);
        var socket = flow.Socket;
        if (segmentSize > 0) writer.TryAdd(SocketLevel.Udp, UdpOption.Segment, (ushort)segmentSize);
        if (hopLimit != socket.HopLimit)
        {
            if (socket.IsV4) writer.TryAdd(SocketLevel.Ip, IpOption.Ttl, hopLimit);
            else writer.TryAdd(SocketLevel.Ipv6, Ipv6Option.HopLimit, hopLimit);
        }
        if (trafficClass != 0)
        {
            if (socket.IsV4) writer.TryAdd(SocketLevel.Ip, IpOption.Tos, trafficClass);
            else writer.TryAdd(SocketLevel.Ipv6, Ipv6Option.Tclass, trafficClass);
        }
        if (flow.Local != default)
        {
            if (socket.IsV4) writer.TryAdd(SocketLevel.Ip, IpOption.PktInfo, new PacketInfo4 { Local = flow.Local.V4 });
            else writer.TryAdd(SocketLevel.Ipv6, Ipv6Option.PktInfo, new PacketInfo6 { Address = flow.Local.V6 });
        }
        if (writer.Length == 0) return;
        header.Control = (nint)Unsafe.AsPointer(ref _controls[index * ControlLength / 8]);
        header.ControlLength = (nuint)writer.Length;
    }

    private void Chain(UdpSocket socket, int index)
    {
        if (socket.FirstPending < 0)
        {
            socket.FirstPending = index;
            _sockets[_socketCount++] = socket;
        }
        else
        {
            _pending[socket.LastPending].Next = index;
        }
        socket.LastPending = index;
    }

    private void Send(UdpSocket socket)
    {
        var first = socket.FirstPending;
        var last = socket.LastPending;
        socket.FirstPending = socket.LastPending = -1;
        while (first >= 0 && socket.IsOpen)
        {
            // A run of neighbours goes in one call; batches of one flow, the case that matters, are one run.
            var count = 1;
            while (first + count - 1 != last && _pending[first + count - 1].Next == first + count) count++;
            SendRun(socket, first, count);
            first = _pending[first + count - 1].Next;
        }
    }

    private void SendRun(UdpSocket socket, int first, int count)
    {
        for (var retried = false; count > 0;)
        {
            // SAFETY: first + count <= _count <= MaxMessages, and the array is pinned.
            var result = Sockets.SendMMsg(socket.Fd, (MMsgHdr*)Unsafe.AsPointer(ref _headers[first]), count, MsgFlags.DontWait);
            Calls++;
            var sent = result.Ok ? result.Count : 0;
            if (sent > 0)
            {
                first += sent;
                count -= sent;
                retried = false;
                continue;
            }
            // An ICMP error about an earlier datagram is told by the next call, whichever that is; taking it makes way.
            var told = protocol.Errors.Drain(socket);
            if (!retried && told == UdpErrors.Told.Earlier)
            {
                retried = true;
                continue;
            }
            var mtu = told == UdpErrors.Told.Local ? protocol.Errors.LocalMtu : UdpErrors.SmallestMtu(socket.IsV4);
            Failed(socket, first, result.Error, mtu);
            first++;
            count--;
            retried = false;
        }
    }

    private void Failed(UdpSocket socket, int index, Errno error, int mtu)
    {
        ref readonly var pending = ref _pending[index];
        var counters = context.Port.Counters(pending.Queue);
        if (pending.SegmentSize > 0 && error is Errno.EINVAL or Errno.EIO or Errno.EMSGSIZE or Errno.EOPNOTSUPP)
        {
            SendSegments(socket, index);
            return;
        }
        if (error is Errno.EAGAIN or Errno.ENOBUFS or Errno.ENOMEM)
        {
            counters.DropTx(DropReason.SocketFull);
            return;
        }
        counters.DropTx(DropReason.HostError);
        Tell(index, error, mtu);
    }

    /// <summary>The ICMP error that a router would have sent about a datagram which the host's kernel refused.</summary>
    private void Tell(int index, Errno error, int mtu)
    {
        if (Sock.Meaning(error) is not { } meaning) return;
        ref readonly var pending = ref _pending[index];
        var guest = pending.Flow.Guest;
        var quote = _quotes.AsSpan(index * QuoteLength, Math.Min(QuoteLength, FrameWriter.UdpHeader + pending.Length));
        var key = new FlowKey(guest.Address, pending.Destination, guest.Port, 0);
        context.Icmp.Send(pending.Queue, key, IpProtocol, quote, meaning, mtu: meaning == IcmpError.PacketTooBig ? mtu : 0);
    }

    private const byte IpProtocol = Wire.IpProtocol.Udp;

    /// <summary>One datagram per call, where the route takes no UDP_SEGMENT of that size.</summary>
    private void SendSegments(UdpSocket socket, int index)
    {
        ref var header = ref _headers[index].Header;
        ref readonly var pending = ref _pending[index];
        var all = new ReadOnlySpan<Segment>(header.Segments, (int)header.SegmentCount);
        Span<Segment> piece = stackalloc Segment[FrameLimits.MaxTxSegments];
        for (var at = 0; at < pending.Length; at += pending.SegmentSize)
        {
            var vectors = SegmentOps.Slice(all, at, Math.Min(pending.SegmentSize, pending.Length - at), piece);
            fixed (Segment* p = piece)
            {
                var message = default(MsgHdr);
                message.Name = header.Name;
                message.NameLength = header.NameLength;
                message.Segments = (IoVec*)p;
                message.SegmentCount = (nuint)vectors;
                var result = Sockets.SendMsg(socket.Fd, &message, MsgFlags.DontWait);
                if (result.Ok) continue;
                var told = protocol.Errors.Drain(socket);
                context.Port.Counters(pending.Queue).DropTx(DropReason.HostError);
                if (result.Error != Errno.EMSGSIZE) continue;
                Tell(index, result.Error, told == UdpErrors.Told.Local ? protocol.Errors.LocalMtu : UdpErrors.SmallestMtu(socket.IsV4));
                return;
            }
        }
    }

    /// <summary>What is known of a message that waits.</summary>
    private record struct Pending(UdpFlow Flow, IpAddr Destination, int Queue, int SegmentSize, int Length, int Next);
}
