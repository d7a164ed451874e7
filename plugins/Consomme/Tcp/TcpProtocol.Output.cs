namespace NicHost.Consomme.Tcp;

/// <content>Host to guest: what may be sent now, and when.</content>
internal sealed partial class TcpProtocol
{
    // One flow's share of a wake-up; then the others have their turn.
    private const int ShareBytes = 512 << 10;

    /// <summary>Sends what window and buffers allow: first what has to be sent again, then what the socket has, then our FIN.</summary>
    private void Output(TcpFlow flow)
    {
        var share = ShareBytes;
        while (flow.Fd >= 0)
        {
            if (flow.SndNxt != flow.SndMax && !NextToRetransmit(flow)) return;
            var again = flow.SndNxt != flow.SndMax;
            if (!again && (!flow.CanRead || flow.FinSent)) return;
            var limit = Allowed(flow, again);
            if (limit <= 0)
            {
                Persist(flow);
                return;
            }
            if (share <= 0)
            {
                MakeReady(flow);
                return;
            }
            var sent = again
                ? Transfer(flow, (int)Math.Min(limit, RetransmitHole(flow)))
                : Transfer(flow, (int)Math.Min(limit, Math.Min(share, flow.ReadHint)));
            if (sent <= 0) return;
            share -= sent;
        }
    }

    /// <summary>Bytes that window and congestion bound allow; 0 also where sending would be silly (RFC 9293 3.8.6.2.1).</summary>
    private static long Allowed(TcpFlow flow, bool again)
    {
        var inFlight = flow.SndNxt - flow.SndUna;
        var usable = (long)flow.SndWnd - inFlight;
        if (flow.Cwnd != long.MaxValue) usable = Math.Min(usable, flow.Cwnd - inFlight + Math.Min(flow.Sack.Total(), inFlight));
        if (usable >= flow.Mss || again) return usable;
        // Less than a segment: worth it only when nothing is under way whose acknowledgement would open more.
        return inFlight == 0 || usable >= flow.SndMaxWnd / 2 ? usable : 0;
    }

    /// <summary>Moves on to the next number that the guest lacks.</summary>
    /// <returns>False when nothing more may be done now.</returns>
    private bool NextToRetransmit(TcpFlow flow)
    {
        var limit = Seq.Min(flow.RetransmitEnd, flow.DataEnd);
        if (Seq.Before(flow.SndNxt, limit)) flow.SndNxt = flow.Sack.NextHole(flow.SndNxt, limit, out _);
        if (Seq.Before(flow.SndNxt, limit)) return true;
        var finToo = flow.FinSent && Seq.After(flow.RetransmitEnd, flow.FinSeq);
        if (finToo && !SendControl(flow, TcpFlags.Fin | TcpFlags.Ack, flow.FinSeq)) return false;
        flow.SndNxt = flow.SndMax;
        return true;
    }

    private static long RetransmitHole(TcpFlow flow)
    {
        var limit = Seq.Min(flow.RetransmitEnd, flow.DataEnd);
        flow.Sack.NextHole(flow.SndNxt, limit, out var end);
        return end - flow.SndNxt;
    }

    /// <summary>The host has ended its stream and everything was sent: our FIN.</summary>
    private void SendFin(TcpFlow flow)
    {
        if (flow.FinSent) return;
        flow.FinSent = true;
        flow.FinSeq = flow.SndMax;
        flow.State = flow.State == TcpState.CloseWait ? TcpState.LastAck : TcpState.FinWait1;
        var sent = SendControl(flow, TcpFlags.Fin | TcpFlags.Ack, flow.FinSeq);
        if (flow.FinSeq == flow.SndUna) flow.RetransmitAt = 0;
        flow.SndMax++;
        // Not sent for want of a buffer: as if it had been lost.
        if (sent) flow.SndNxt = flow.SndMax;
        else RetransmitFrom(flow, flow.FinSeq, flow.SndMax);
        StartRetransmitTimer(flow);
    }

    private void StartRetransmitTimer(TcpFlow flow)
    {
        if (flow.RetransmitAt != 0) return;
        flow.RetransmitAt = _loop.NowMilliseconds + flow.Rtt.Timeout;
        _wheel.Ensure(flow, flow.RetransmitAt);
    }

    /// <summary>Nothing may be sent: when nothing is under way either, the guest has to be asked from time to time (RFC 9293 3.8.6.1).</summary>
    private void Persist(TcpFlow flow)
    {
        if (flow.SndUna == flow.SndMax || flow.SndWnd == 0) StartRetransmitTimer(flow);
    }
}
