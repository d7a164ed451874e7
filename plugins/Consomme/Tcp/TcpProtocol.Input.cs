using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;

namespace NicHost.Consomme.Tcp;

/// <content>Segments of flows past their handshake (RFC 9293 3.10.7.4, RFC 5961, RFC 7323 5).</content>
internal sealed partial class TcpProtocol
{
    private const long TsRecentLifetime = 24L * 24 * 3600 * 1000;    // RFC 7323 5.5

    private void InputSynchronized(TcpFlow flow, ref GuestFrame frame, in TcpSegment segment)
    {
        if (flow.State == TcpState.TimeWait)
        {
            InputTimeWait(flow, ref frame, segment);
            return;
        }
        var expected = NextExpected(flow);
        if (flow.Timestamps && segment.HasTimestamps && !CheckTimestamp(flow, segment, expected)) return;
        var ahead = (int)(segment.Seq - expected);
        if (ahead > 0 && flow.Future is not null && flow.Gathered is not null)
        {
            // What is gathered may close the hole before this one.
            FlushGather(flow);
            if (flow.State == TcpState.Free) return;
            expected = flow.RcvNxt;
            ahead = (int)(segment.Seq - expected);
        }
        if (ahead != 0 && !IsUsable(flow, ref frame, segment, expected, ahead)) return;
        if (segment.Has(TcpFlags.Rst))
        {
            // Exactly at the expected number, as IsUsable has seen to (RFC 5961 3.2).
            FlushGather(flow);
            if (flow.State != TcpState.Free) End(flow, CloseReason.GuestReset, resetHost: true);
            return;
        }
        if (segment.Has(TcpFlags.Syn))
        {
            Challenge(flow);
            return;
        }
        if (!segment.Has(TcpFlags.Ack) || !ProcessAck(flow, segment)) return;
        if (flow.State == TcpState.Free || flow.State == TcpState.TimeWait) return;
        if (segment.PayloadLength > 0 || segment.Has(TcpFlags.Fin)) ProcessText(flow, ref frame, segment, expected);
    }

    /// <summary>RFC 7323 5.3 (R1 to R3).</summary>
    private bool CheckTimestamp(TcpFlow flow, in TcpSegment segment, uint expected)
    {
        var older = (int)(segment.TsValue - flow.TsRecent) < 0;
        var now = flow.LastHeard;
        if (older && !segment.Has(TcpFlags.Rst) && now - flow.TsRecentAt < TsRecentLifetime)
        {
            Drop(flow.Queue, DropReason.OutOfWindow);
            flow.AckPending = true;
            Touch(flow);
            return false;
        }
        if (!Seq.After(segment.Seq, flow.LastAck) && !Seq.Before(segment.Seq + (uint)segment.Length, flow.LastAck) && !segment.Has(TcpFlags.Rst))
        {
            flow.TsRecent = segment.TsValue;
            flow.TsRecentAt = now;
        }
        return true;
    }

    /// <summary>Decides about a segment that does not start where it should.</summary>
    /// <returns>Whether its acknowledgement and what is new of its text are used.</returns>
    private bool IsUsable(TcpFlow flow, ref GuestFrame frame, in TcpSegment segment, uint expected, int ahead)
    {
        var window = flow.RcvEdge - expected;
        var inWindow = ahead > 0 ? (uint)ahead < window : -(long)ahead < segment.Length;
        if (segment.Has(TcpFlags.Rst))
        {
            if (inWindow && ahead > 0) Challenge(flow);
            else Drop(flow.Queue, DropReason.OutOfWindow);
            return false;
        }
        if (segment.Has(TcpFlags.Syn))
        {
            Challenge(flow);
            return false;
        }
        if (inWindow && ahead < 0) return true;     // the part that is new is cut out later
        // A duplicate, a keepalive or window probe, or something beyond a hole: an acknowledgement says at once where we are.
        if (segment.Has(TcpFlags.Ack) && !ProcessAck(flow, segment)) return false;
        if (flow.State is TcpState.Free or TcpState.TimeWait) return false;
        if (inWindow) ProcessFuture(flow, ref frame, segment, expected);
        else if (segment.PayloadLength > 0) Drop(flow.Queue, DropReason.OutOfWindow);
        if (ahead > 0)
        {
            // Each one counts as a duplicate acknowledgement for the guest (RFC 5681 4.2).
            FlushGather(flow);
            if (flow.State != TcpState.Free) SendAck(flow);
            return false;
        }
        flow.AckPending = true;
        Touch(flow);
        return false;
    }

    /// <summary>RFC 5961 10: at most so many per second for the whole NIC.</summary>
    private void Challenge(TcpFlow flow)
    {
        const int PerSecond = 100;
        Drop(flow.Queue, DropReason.OutOfWindow);
        var second = _loop.NowMilliseconds / 1000;
        if (second != _challengeSecond) (_challengeSecond, _challenges) = (second, 0);
        if (_challenges++ < PerSecond) SendAck(flow);
    }

    private long _challengeSecond;
    private int _challenges;

    /// <summary>Takes payload and FIN, as far as they are new, in order and inside the window.</summary>
    private void ProcessText(TcpFlow flow, ref GuestFrame frame, in TcpSegment segment, uint expected)
    {
        if (flow.State is TcpState.CloseWait or TcpState.Closing or TcpState.LastAck || flow.FinBehindSpill)
        {
            // After the guest's FIN there is no text; the FIN again wants its acknowledgement again.
            flow.AckPending = true;
            Touch(flow);
            return;
        }
        var skip = (int)(expected - segment.Seq);
        var fresh = segment.PayloadLength - skip;
        var take = (int)Math.Min(fresh, flow.RcvEdge - expected);
        if (take > 0) Gather(flow, ref frame, segment.HeaderLength + skip, take);
        flow.Unanswered++;
        if (take < fresh || segment.Has(TcpFlags.Fin) || !MayWait(flow, take)) flow.AckPending = true;
        Touch(flow);
        if (take < fresh)
        {
            Drop(flow.Queue, DropReason.OutOfWindow);
            return;
        }
        if (!segment.Has(TcpFlags.Fin)) return;
        var finSeq = segment.Seq + (uint)segment.PayloadLength;
        FlushGather(flow);
        if (flow.State != TcpState.Free && flow.RcvNxt == finSeq) GuestFin(flow);
    }
}
