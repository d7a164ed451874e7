using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <content>The ends of both directions, and TIME_WAIT.</content>
internal sealed partial class TcpProtocol
{
    // 2 MSL with the MSL of 30 s that is usual today.
    private const long TimeWaitMilliseconds = 60_000;

    private TcpFlow? _oldestTimeWait;
    private TcpFlow? _newestTimeWait;
    private int _timeWaits;

    /// <summary>The guest's FIN is in order: the host sees the end of the stream.</summary>
    private void GuestFin(TcpFlow flow)
    {
        flow.AckPending = true;
        Touch(flow);
        if (flow.Spill is not null)
        {
            // It is acknowledged when everything before it is the kernel's.
            flow.FinBehindSpill = true;
            return;
        }
        flow.RcvNxt++;
        flow.RcvEdge = Seq.Max(flow.RcvEdge, flow.RcvNxt);
        // Where the close follows at once, it says the same.
        if (flow.State != TcpState.FinWait2) Sockets.Shutdown(flow.Fd, ShutdownHow.Write);
        switch (flow.State)
        {
            case TcpState.Established:
                flow.State = TcpState.CloseWait;
                break;
            case TcpState.FinWait1:
                flow.State = TcpState.Closing;
                break;
            case TcpState.FinWait2:
                EnterTimeWait(flow);
                break;
        }
    }

    /// <summary>Our FIN, and with it everything, is acknowledged.</summary>
    private void FinAcknowledged(TcpFlow flow)
    {
        switch (flow.State)
        {
            case TcpState.FinWait1:
                flow.State = TcpState.FinWait2;
                break;
            case TcpState.Closing:
                EnterTimeWait(flow);
                break;
            case TcpState.LastAck:
                // What is still unread would turn the close into a reset.
                DiscardAll(flow);
                End(flow, CloseReason.Normal, resetHost: false);
                break;
        }
    }

    private void EnterTimeWait(TcpFlow flow)
    {
        DiscardAll(flow);
        CloseHost(flow, reset: false);
        flow.State = TcpState.TimeWait;
        flow.RetransmitAt = 0;
        flow.TimeWaitOlder = _newestTimeWait;
        flow.TimeWaitNewer = null;
        if (_newestTimeWait is { } newest) newest.TimeWaitNewer = flow;
        else _oldestTimeWait = flow;
        _newestTimeWait = flow;
        _timeWaits++;
        RestartTimeWait(flow);
        SendAck(flow);
    }

    private void RestartTimeWait(TcpFlow flow)
    {
        flow.StateAt = _loop.NowMilliseconds + TimeWaitMilliseconds;
        _wheel.Ensure(flow, flow.StateAt);
    }

    private void UnlinkTimeWait(TcpFlow flow)
    {
        if (flow.TimeWaitOlder is { } older) older.TimeWaitNewer = flow.TimeWaitNewer;
        else _oldestTimeWait = flow.TimeWaitNewer;
        if (flow.TimeWaitNewer is { } newer) newer.TimeWaitOlder = flow.TimeWaitOlder;
        else _newestTimeWait = flow.TimeWaitOlder;
        flow.TimeWaitOlder = flow.TimeWaitNewer = null;
        _timeWaits--;
    }

    private void InputTimeWait(TcpFlow flow, ref GuestFrame frame, in TcpSegment segment)
    {
        if (segment.Has(TcpFlags.Rst))
        {
            // RFC 1337: a reset does not cut TIME_WAIT short, unless it is exactly in place.
            if (segment.Seq == flow.RcvNxt) End(flow, CloseReason.Normal, resetHost: false);
            return;
        }
        if (segment.Has(TcpFlags.Syn) && !segment.Has(TcpFlags.Ack))
        {
            // RFC 6191: a new connection may begin when nothing of the old one can be mistaken for it.
            var newer = flow.Timestamps && segment.HasTimestamps
                ? (int)(segment.TsValue - flow.TsRecent) > 0 || (segment.TsValue == flow.TsRecent && Seq.After(segment.Seq, flow.RcvNxt))
                : Seq.After(segment.Seq, flow.RcvNxt);
            if (newer)
            {
                var key = flow.Key;
                End(flow, CloseReason.Normal, resetHost: false);
                OpenFromGuest(ref frame, key, segment);
                return;
            }
        }
        if (segment.Length == 0 && segment.Has(TcpFlags.Ack) && segment.Ack == flow.SndMax && segment.Seq == flow.RcvNxt) return;
        // The guest's FIN again: our acknowledgement was lost.
        if (segment.Has(TcpFlags.Fin)) RestartTimeWait(flow);
        else Drop(frame.Queue, DropReason.OutOfWindow);
        SendAck(flow);
    }
}
