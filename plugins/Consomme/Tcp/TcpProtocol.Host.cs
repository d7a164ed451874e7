using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <content>Events of the host's sockets.</content>
internal sealed partial class TcpProtocol
{
    internal void OnHostEvents(TcpFlow flow, FdEvents events)
    {
        if (flow.State == TcpState.Free) return;
        if ((events & Urgent) != 0) flow.DrainsToEnd = true;
        if ((events & (FdEvents.ReadHangUp | FdEvents.HangUp | FdEvents.Error)) != 0) flow.SawHangUp = flow.DrainsToEnd = true;
        if ((events & (FdEvents.Readable | FdEvents.ReadHangUp | FdEvents.HangUp | FdEvents.Error)) != 0) flow.CanRead = true;
        if (flow.State == TcpState.Connecting)
        {
            var failed = (events & (FdEvents.Error | FdEvents.HangUp)) != 0 ? Sockets.TakeError(flow.Fd) : Errno.None;
            if (failed != Errno.None) ConnectFailed(flow, failed);
            else if ((events & FdEvents.Writable) != 0) HostConnected(flow);
            return;
        }
        if (!flow.IsSynchronized) return;
        if (flow.WaitsForWritable && (events & (FdEvents.Writable | FdEvents.Error | FdEvents.HangUp)) != 0) HostWritable(flow);
        if (flow.State == TcpState.Free) return;
        // After our FIN nothing is read any more, so that a reset of the host would go unseen.
        if (flow.FinSent && (events & FdEvents.Error) != 0)
        {
            HostFailed(flow, Sockets.TakeError(flow.Fd));
            return;
        }
        if (flow.CanRead) Serve(flow);
    }

    internal void OnRoom(TcpFlow flow)
    {
        switch (flow.State)
        {
            case TcpState.Free or TcpState.Connecting:
                return;
            case TcpState.SynReceived or TcpState.SynSent:
                SendSyn(flow);
                return;
            default:
                Serve(flow);
                return;
        }
    }

    /// <summary>The host's side is gone: the guest learns it as a reset.</summary>
    private void HostFailed(TcpFlow flow, Errno error)
    {
        if (flow.State == TcpState.Free) return;
        Abort(flow, error is Errno.ECONNRESET or Errno.EPIPE or Errno.None ? CloseReason.HostReset : CloseReason.HostError);
    }

    /// <summary>Tells the operator of a trouble of the host's side, at most one of a kind in a minute.</summary>
    private void Trouble(string text, Errno error)
    {
        var now = _loop.NowMilliseconds;
        if (error == _lastTrouble && now < _quietUntil) return;
        (_lastTrouble, _quietUntil) = (error, now + 60_000);
        _context.ReportTrouble(text);
    }

    private Errno _lastTrouble;
    private long _quietUntil;

    /// <summary>Whether one more flow may be: at the limit, the oldest in TIME_WAIT give way.</summary>
    private bool MakeRoomForFlow()
    {
        while (_flows.Count >= _context.Model.Limits.TcpFlows)
        {
            if (_oldestTimeWait is not { } oldest) return false;
            End(oldest, CloseReason.Evicted, resetHost: false);
        }
        return true;
    }
}
