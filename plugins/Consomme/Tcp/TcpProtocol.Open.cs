using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <content>The guest opens a connection: its SYN is answered when the host's socket is connected, or as its connect failed.</content>
internal sealed partial class TcpProtocol
{
    // 65535 << 8 is just below 16 MiB.
    private const byte OwnScale = 8;
    private const int DefaultMss = 536;     // RFC 9293 3.7.1, for IPv4; IPv6's 1220 is not assumed either
    private const int SmallestMss = 64;     // a guest that asks for less would make us send headers only

    // What every connected socket takes (a send buffer starts at 87 KB and more): the first window, without asking.
    private const int FirstRoom = ushort.MaxValue;
    private const int SynTimeout = 1000;
    private const int SynRetries = 6;
    private const FdEvents HostEvents = FdEvents.Readable | FdEvents.Writable | FdEvents.ReadHangUp | Urgent | FdEvents.EdgeTriggered;
    private const FdEvents Urgent = (FdEvents)0x2;      // EPOLLPRI

    private static readonly IpAddr LoopbackV4 = IpAddr.FromV4(0x7f000001);

    private void FromStranger(ref GuestFrame frame, in FlowKey key, in TcpSegment segment)
    {
        if ((segment.Flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst | TcpFlags.Fin)) == TcpFlags.Syn)
        {
            OpenFromGuest(ref frame, key, segment);
            return;
        }
        Drop(frame.Queue, DropReason.OutOfWindow);
        SendResetTo(frame.Queue, key, segment);
    }

    private void OpenFromGuest(ref GuestFrame frame, in FlowKey key, in TcpSegment segment)
    {
        var rule = _context.Model.Destinations.Decide(key.Remote, key.RemotePort);
        if (rule.Verdict is DestinationVerdict.Forbidden or DestinationVerdict.Unreachable)
        {
            Refuse(ref frame, key, segment, rule.Verdict);
            return;
        }
        if (_halfOpen >= _context.Model.Limits.HalfOpen)
        {
            Drop(frame.Queue, DropReason.HalfOpenLimit);
            return;
        }
        if (!MakeRoomForFlow())
        {
            Drop(frame.Queue, DropReason.FlowLimit);
            SendResetTo(frame.Queue, key, segment);
            return;
        }
        var flow = Rent(key);
        flow.State = TcpState.Connecting;
        flow.Queue = frame.Queue;
        TakeSyn(flow, segment);
        EnterHalfOpen(flow);
        _opened++;
        var error = rule.Verdict == DestinationVerdict.Dns ? ConnectDns(flow) : Connect(flow, ToSockAddr(rule.Host, key.RemotePort));
        if (error != Errno.None) ConnectFailed(flow, error);
    }

    private void Refuse(ref GuestFrame frame, in FlowKey key, in TcpSegment segment, DestinationVerdict verdict)
    {
        if (verdict == DestinationVerdict.Forbidden)
        {
            Drop(frame.Queue, DropReason.Forbidden);
            // RFC 1122 3.2.2: never an error about a group's address.
            if (!key.Remote.IsMulticast && !key.Remote.IsBroadcast && !key.Remote.IsUnspecified) _context.Icmp.Send(ref frame, IcmpError.Prohibited);
            return;
        }
        // The gateway and the name server are there, with nothing on that port; other addresses of the network are nobody's.
        if (_context.Network.IsGateway(key.Remote) || _context.Network.IsDns(key.Remote)) SendResetTo(frame.Queue, key, segment);
        else
        {
            Drop(frame.Queue, DropReason.NotForUs);
            _context.Icmp.Send(ref frame, IcmpError.HostUnreachable);
        }
    }

    /// <summary>Takes sequence number and options from the guest's SYN or SYN-ACK.</summary>
    private void TakeSyn(TcpFlow flow, in TcpSegment segment)
    {
        flow.Irs = segment.Seq;
        flow.RcvNxt = flow.RcvEdge = flow.LastAck = segment.Seq + 1;
        flow.SackOk = segment.SackPermitted;
        flow.Timestamps = segment.HasTimestamps;
        flow.TsRecent = segment.TsValue;
        flow.TsRecentAt = _loop.NowMilliseconds;
        (flow.SndScale, flow.RcvScale) = segment.WindowScale >= 0 ? ((byte)segment.WindowScale, OwnScale) : ((byte)0, (byte)0);
        flow.SndWnd = flow.SndMaxWnd = segment.Window;      // never scaled in a SYN
        flow.SndWl1 = segment.Seq;
        var guest = segment.MaxSegment == 0 ? DefaultMss : Math.Max(segment.MaxSegment, (ushort)SmallestMss);
        flow.Mss = Math.Min(guest, OwnMss(flow.IsV4)) - (flow.Timestamps ? FrameLayout.TimestampOption : 0);
        flow.Mss = Math.Max(flow.Mss, 8);
    }

    private static SockAddr ToSockAddr(IpAddr address, ushort port) => address.IsV4
        ? SockAddr.FromIpv4(address.V4, port)
        : SockAddr.FromIpv6(new UInt128(address.High, address.Low), port);

    private Errno ConnectDns(TcpFlow flow)
    {
        var created = Sockets.CreateTcp(_dns.Address.IsV4 ? Sockets.AfInet : Sockets.AfInet6);
        if (created.Failed) return created.Error;
        flow.Fd = created.Fd;
        var source = _dns.Address.IsV4 ? LoopbackV4 : new IpAddr(0, 1);
        var bound = Sockets.Bind(flow.Fd, ToSockAddr(source, 0));
        if (bound.Failed) return bound.Error;
        var named = Sockets.GetSockName(flow.Fd, out var local);
        if (named.Failed) return named.Error;
        // The service serves nobody else on the host: it is told our port before the connection exists.
        _dns.Admit(local.Port);
        return Connect(flow, ToSockAddr(_dns.Address, _dns.Port));
    }

    private Errno Connect(TcpFlow flow, in SockAddr address)
    {
        if (flow.Fd < 0)
        {
            var created = Sockets.CreateTcp(address.Family);
            if (created.Failed) return created.Error;
            flow.Fd = created.Fd;
        }
        Sockets.SetOption(flow.Fd, SocketLevel.Tcp, TcpOption.NoDelay, 1);
        // Urgent data stays in the stream: out of band it would make what is read differ from what is numbered.
        Sockets.SetOption(flow.Fd, SocketLevel.Socket, SocketOption.OobInline, 1);
        var connected = Sockets.Connect(flow.Fd, address);
        if (connected.Failed && connected.Error != Errno.EINPROGRESS) return connected.Error;
        // Also after an immediate success: the socket is writable then, and the watch tells so at once.
        return TryWatch(flow) ? Errno.None : Errno.ENOSPC;
    }

    private bool TryWatch(TcpFlow flow)
    {
        try
        {
            flow.Watch = _loop.Watch(flow.Fd, HostEvents, flow);
            return true;
        }
        catch (InvalidOperationException)
        {
            // The host's limit on watched descriptors (fs.epoll.max_user_watches): one flow's trouble, not the NIC's.
            return false;
        }
    }

    private void ConnectFailed(TcpFlow flow, Errno error)
    {
        switch (error)
        {
            case Errno.ECONNREFUSED or Errno.ECONNRESET:
                Abort(flow, CloseReason.ConnectRefused);
                return;
            case Errno.ETIMEDOUT:
                // On a real network there is silence: the guest's own timer, as long as the host's, tells ETIMEDOUT.
                End(flow, CloseReason.ConnectFailed, resetHost: false);
                return;
            case Errno.ENETUNREACH or Errno.ENETDOWN or Errno.EAFNOSUPPORT or Errno.EADDRNOTAVAIL when !flow.IsV4 || error != Errno.EADDRNOTAVAIL:
                SendUnreachable(flow, IcmpError.NetUnreachable);
                break;
            case Errno.EHOSTUNREACH or Errno.EHOSTDOWN:
                SendUnreachable(flow, IcmpError.HostUnreachable);
                break;
            case Errno.EACCES or Errno.EPERM:
                SendUnreachable(flow, IcmpError.Prohibited);
                break;
            default:
                Drop(flow.Queue, DropReason.HostError);
                Trouble($"A TCP connection to {flow.Key.Remote} port {flow.Key.RemotePort} could not be made: {LinuxException.Describe(error)}.", error);
                Abort(flow, CloseReason.HostError);
                return;
        }
        End(flow, CloseReason.ConnectFailed, resetHost: false);
    }

    private void SendUnreachable(TcpFlow flow, IcmpError error)
    {
        Span<byte> start = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(start, flow.Key.GuestPort);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(start[2..], flow.Key.RemotePort);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(start[4..], flow.Irs);
        _context.Icmp.Send(flow.Queue, flow.Key, FrameLayout.Protocol, start, error);
    }

    /// <summary>The host's socket is connected: the guest gets its SYN-ACK.</summary>
    private void HostConnected(TcpFlow flow)
    {
        flow.State = TcpState.SynReceived;
        NumberOurSide(flow);
        flow.Room = FirstRoom;
        flow.RcvEdge = flow.RcvNxt + FirstRoom;
        SendSyn(flow);
        flow.RetransmitAt = _loop.NowMilliseconds + SynTimeout;
        _wheel.Ensure(flow, flow.RetransmitAt);
    }

    private void NumberOurSide(TcpFlow flow)
    {
        var key = flow.Key;
        var ports = ((ulong)key.GuestPort << 16) | key.RemotePort;
        var hash = _hash.Compute(key.Guest.High, key.Guest.Low, key.Remote.High, key.Remote.Low, ports);
        // RFC 6528: a clock of 4 microseconds plus a secret function of the connection.
        flow.Iss = (uint)hash + (uint)(_loop.NowMilliseconds * 250);
        flow.TsOffset = (uint)(hash >> 32);
        flow.SndUna = flow.Iss;
        flow.SndNxt = flow.SndMax = flow.HostBase = flow.CleanBase = flow.PeekSeq = flow.Iss + 1;
    }

    /// <summary>Segments of a flow whose handshake is not complete.</summary>
    private void InputOpening(TcpFlow flow, ref GuestFrame frame, in TcpSegment segment)
    {
        if (flow.State == TcpState.SynSent)
        {
            InputSynSent(flow, segment);
            return;
        }
        if (segment.Has(TcpFlags.Rst))
        {
            if (segment.Seq == flow.RcvNxt) End(flow, CloseReason.GuestReset, resetHost: true);
            return;
        }
        if (segment.Has(TcpFlags.Syn))
        {
            // A retransmission waits with the first; a new attempt from the same port takes the first one's place.
            if (flow.State == TcpState.Connecting) { if (segment.Seq != flow.Irs) TakeSyn(flow, segment); }
            else if (segment.Seq == flow.Irs) SendSyn(flow);
            else SendAck(flow);
            return;
        }
        if (flow.State == TcpState.Connecting || !segment.Has(TcpFlags.Ack)) return;
        if (segment.Ack != flow.Iss + 1)
        {
            SendResetTo(frame.Queue, flow.Key, segment);
            return;
        }
        Establish(flow);
        flow.SndUna = segment.Ack;
        flow.SndWl1 = segment.Seq - 1;
        InputSynchronized(flow, ref frame, segment);
    }

    private void Establish(TcpFlow flow)
    {
        flow.State = TcpState.Established;
        flow.Retries = 0;
        flow.RetransmitAt = 0;
        LeaveHalfOpen(flow);
        flow.StateAt = _loop.NowMilliseconds + IdleMilliseconds;
        _wheel.Ensure(flow, flow.StateAt);
        // The host may have been faster than the guest's handshake.
        Touch(flow);
    }
}
