using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <content>
/// Timers. A flow stands in the wheel once, for the nearer of its two times; a time that moved later in the meantime is found out when
/// the entry comes by.
/// </content>
internal sealed partial class TcpProtocol
{
    private const int MaxRetries = 12;      // from 200 ms on, doubled each time up to a minute: some five minutes
    private const int MaxProbes = 9;
    private const long ProbeInterval = 75_000;

    private long IdleMilliseconds => _context.Model.Limits.TcpIdleSeconds * 1000L;

    /// <summary>The options in force are others: who waits at a limit, or for a time, waits no longer than the new ones say.</summary>
    public void Reconfigured()
    {
        ResumeListeners();
        foreach (var flow in _flows.Values)
        {
            // Of a flow that has been probed already, the probes decide.
            if (!flow.IsSynchronized || flow.State == TcpState.TimeWait || flow.Probes > 0) continue;
            var due = flow.LastHeard + IdleMilliseconds;
            if (flow.StateAt == 0 || due >= flow.StateAt) continue;
            flow.StateAt = due;
            _wheel.Ensure(flow, due);
        }
    }

    internal void OnFlowTimer(TcpFlow flow, long now)
    {
        if (flow.State == TcpState.Free) return;
        if (flow.AckAt != 0 && flow.AckAt <= now)
        {
            flow.AckAt = 0;
            flow.Exchanges = 0;
            SendAck(flow);
        }
        if (flow.RetransmitAt != 0 && flow.RetransmitAt <= now)
        {
            flow.RetransmitAt = 0;
            RetransmitTimeout(flow);
        }
        if (flow.State != TcpState.Free && flow.StateAt != 0 && flow.StateAt <= now)
        {
            flow.StateAt = 0;
            StateTimeout(flow, now);
        }
        if (flow.State == TcpState.Free) return;
        Schedule(flow, flow.AckAt);
        Schedule(flow, flow.RetransmitAt);
        Schedule(flow, flow.StateAt);
    }

    private void Schedule(TcpFlow flow, long at)
    {
        if (at != 0) _wheel.Ensure(flow, at);
    }

    private void RetransmitTimeout(TcpFlow flow)
    {
        if (!flow.IsSynchronized)
        {
            HandshakeTimeout(flow);
            return;
        }
        if (flow.SndUna == flow.SndMax || flow.SndWnd == 0)
        {
            ProbeWindow(flow);
            return;
        }
        if (++flow.Retries > MaxRetries)
        {
            Abort(flow, CloseReason.RetransmitTimeout);
            return;
        }
        flow.Rtt.BackOff();
        flow.RetransmitAt = _loop.NowMilliseconds + flow.Rtt.Timeout;
        // RFC 2018 8: after a time-out the guest may have thrown away what it reported; the first try still trusts it.
        if (flow.Retries > 1) flow.Sack.Clear();
        flow.InRecovery = true;
        flow.RecoverSeq = flow.SndMax;
        flow.DupAcks = 0;
        flow.Cwnd = 2L * flow.Mss;
        RetransmitFrom(flow, flow.SndUna, flow.SndMax);
        Serve(flow);
    }

    private void HandshakeTimeout(TcpFlow flow)
    {
        if (++flow.Retries > SynRetries)
        {
            Abort(flow, CloseReason.HandshakeTimeout);
            return;
        }
        SendSyn(flow);
        flow.RetransmitAt = _loop.NowMilliseconds + ((long)SynTimeout << flow.Retries);
    }

    /// <summary>An old number without data: any TCP answers with an acknowledgement and its window (RFC 9293 3.8.6.1 wants an answer, not data).</summary>
    private void ProbeWindow(TcpFlow flow)
    {
        var waiting = flow.SndUna != flow.SndMax || flow.CanRead;
        if (!waiting || flow.Fd < 0) return;
        if (flow.SndWnd > 0 && flow.SndUna == flow.SndMax)
        {
            // The window had been too small to be worth it; now it is used as it is.
            Serve(flow);
            if (flow.State == TcpState.Free || flow.SndUna != flow.SndMax || !flow.CanRead) return;
        }
        if (++flow.Retries > MaxRetries)
        {
            Abort(flow, CloseReason.RetransmitTimeout);
            return;
        }
        flow.Rtt.BackOff();
        flow.RetransmitAt = _loop.NowMilliseconds + flow.Rtt.Timeout;
        SendControl(flow, TcpFlags.Ack, flow.SndUna - 1);
    }

    private void StateTimeout(TcpFlow flow, long now)
    {
        if (flow.State == TcpState.TimeWait)
        {
            End(flow, CloseReason.Normal, resetHost: false);
            return;
        }
        var idle = now - flow.LastHeard;
        if (idle < IdleMilliseconds)
        {
            flow.StateAt = flow.LastHeard + IdleMilliseconds;
            return;
        }
        if (++flow.Probes > MaxProbes)
        {
            Abort(flow, CloseReason.IdleTimeout);
            return;
        }
        // RFC 9293 3.8.4. The host's side is probed by its kernel from now on: most flows never come here and save the call.
        if (flow.Fd >= 0 && flow.Probes == 1) Sockets.SetOption(flow.Fd, SocketLevel.Socket, SocketOption.KeepAlive, 1);
        SendControl(flow, TcpFlags.Ack, flow.SndUna - 1);
        flow.StateAt = now + Math.Min(ProbeInterval, IdleMilliseconds);
    }
}
