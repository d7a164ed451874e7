using System.Security.Cryptography;
using NicHost.Consomme.Core;
using NicHost.Consomme.Forwards;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <content>Forwards: a connection to a port of the host becomes a SYN to the guest, from the client's real address.</content>
internal sealed partial class TcpProtocol
{
    private const int PortTries = 64;
    private const int FirstFreePort = 1024;
    private const long AcceptPause = 1000;

    private readonly ILoopTimer _acceptTimer;
    private bool _anyPaused;

    /// <summary>The forwards' open ports.</summary>
    internal ForwardSet<TcpListener> Listeners { get; }

    /// <summary>At a limit the listener stops: connections wait in the kernel's queue.</summary>
    internal bool MayAccept(TcpListener listener)
    {
        if (_halfOpen < _context.Model.Limits.HalfOpen && MakeRoomForFlow()) return true;
        _port.Counters(0).DropRx(_halfOpen < _context.Model.Limits.HalfOpen ? DropReason.FlowLimit : DropReason.HalfOpenLimit);
        Pause(listener);
        return false;
    }

    internal void AcceptFailed(TcpListener listener, Errno error)
    {
        Trouble($"The forward \"{listener.Forward.Text}\" cannot accept connections: {LinuxException.Describe(error)}. Raise the limit on open files.", error);
        Pause(listener);
    }

    private void Pause(TcpListener listener)
    {
        listener.Pause();
        _anyPaused = true;
        // Half-open ones that end resume it sooner.
        _acceptTimer.Set(AcceptPause);
    }

    private void ResumeListeners()
    {
        if (!_anyPaused || _disposed || _halfOpen > _context.Model.Limits.HalfOpen * 3 / 4) return;
        _anyPaused = false;
        foreach (var listener in Listeners.Ports)
        {
            if (listener.IsPaused) listener.Resume();
        }
    }

    internal void OpenFromHost(Forward forward, int fd, in SockAddr peer)
    {
        if (!TryKey(forward, peer, out var key))
        {
            _port.Counters(0).DropRx(DropReason.FlowLimit);
            Sockets.CloseWithReset(fd);
            return;
        }
        var flow = Rent(key);
        flow.IsInbound = true;
        flow.State = TcpState.SynSent;
        flow.Fd = fd;
        flow.RcvScale = OwnScale;
        EnterHalfOpen(flow);
        _accepted++;
        NumberOurSide(flow);
        flow.Room = FirstRoom;
        flow.RcvEdge = FirstRoom;
        if (!TryWatch(flow))
        {
            End(flow, CloseReason.HostError, resetHost: true);
            return;
        }
        SendSyn(flow);
        flow.RetransmitAt = _loop.NowMilliseconds + SynTimeout;
        _wheel.Ensure(flow, flow.RetransmitAt);
    }

    /// <summary>
    /// What the guest sees as the client: its real address. A client on the host's loopback, or one whose address the guest could not
    /// answer (its own, or another IP version), is shown as the gateway, with its own port where that is free.
    /// </summary>
    private bool TryKey(Forward forward, in SockAddr peer, out FlowKey key)
    {
        var network = _context.Network;
        var guest = _context.GuestAddresses.Target(forward);
        var client = peer.IsIpv4 ? IpAddr.FromV4(peer.Ipv4) : new IpAddr((ulong)(peer.Ipv6 >> 64), (ulong)peer.Ipv6);
        var shown = client.IsV4 != guest.IsV4 || client.IsLoopback || client.IsLinkLocal || client.IsUnspecified || network.InSubnet(client)
            ? guest.IsV4 ? network.GatewayV4 : network.GatewayV6
            : client;
        key = new FlowKey(guest, shown, forward.GuestPort, peer.Port);
        for (var i = 0; i < PortTries; i++)
        {
            if (!_flows.TryGetValue(key, out var other)) return true;
            if (other.State == TcpState.TimeWait)
            {
                End(other, CloseReason.Evicted, resetHost: false);
                return true;
            }
            key = key with { RemotePort = (ushort)RandomNumberGenerator.GetInt32(FirstFreePort, ushort.MaxValue + 1) };
        }
        return false;
    }

    private void InputSynSent(TcpFlow flow, in TcpSegment segment)
    {
        var ours = segment.Has(TcpFlags.Ack) && segment.Ack == flow.Iss + 1;
        if (segment.Has(TcpFlags.Rst))
        {
            if (ours) End(flow, CloseReason.GuestRefused, resetHost: true);
            return;
        }
        if (segment.Has(TcpFlags.Ack) && !ours)
        {
            SendResetTo(flow.Queue, flow.Key, segment);
            return;
        }
        // A SYN without ACK would be a simultaneous open: the guest cannot know our port, so it is chance or malice.
        if (!ours || !segment.Has(TcpFlags.Syn)) return;
        var room = flow.RcvEdge;
        TakeSyn(flow, segment);
        flow.RcvEdge = flow.RcvNxt + room;
        flow.SndUna = segment.Ack;
        flow.SndWl2 = segment.Ack;
        Establish(flow);
        flow.AckPending = true;
    }
}
