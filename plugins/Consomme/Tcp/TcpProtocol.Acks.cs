namespace NicHost.Consomme.Tcp;

/// <content>What the guest acknowledges: window, round trip, duplicates, SACK (RFC 5681, RFC 6675 in spirit).</content>
internal sealed partial class TcpProtocol
{
    private const int DupThreshold = 3;

    /// <summary>Deals with acknowledgement number and window.</summary>
    /// <returns>False when the segment is not to be used further.</returns>
    private bool ProcessAck(TcpFlow flow, in TcpSegment segment)
    {
        if (Seq.After(segment.Ack, flow.SndMax))
        {
            Challenge(flow);
            return false;
        }
        if (Seq.Before(segment.Ack, flow.SndUna))
        {
            // RFC 5961 5.2: an old one is harmless, an ancient one is forged.
            if (flow.SndUna - segment.Ack <= Math.Max(flow.SndMaxWnd, ushort.MaxValue)) return true;
            Challenge(flow);
            return false;
        }
        flow.Retries = 0;
        flow.Probes = 0;
        var window = (uint)segment.Window << flow.SndScale;
        var news = false;
        if (segment.SackCount > 0 && flow.SackOk)
        {
            for (var i = 0; i < segment.SackCount; i++) news |= flow.Sack.Add(segment.Sack[i], segment.Ack, flow.SndMax);
        }
        if (segment.Ack != flow.SndUna) Advance(flow, segment);
        else if (flow.SndMax != flow.SndUna)
        {
            if (news || (segment.Length == 0 && window == flow.SndWnd && segment.SackCount == 0)) flow.DupAcks++;
        }
        if (flow.SndWnd == 0 && window > 0 && flow.SndUna != flow.SndMax)
        {
            // What the guest dropped for want of room comes soon, however far the probes had backed off.
            flow.Rtt.Progress();
            flow.RetransmitAt = _loop.NowMilliseconds + flow.Rtt.Timeout;
            _wheel.Ensure(flow, flow.RetransmitAt);
        }
        TakeWindow(flow, segment, window);
        if (flow.DupAcks >= DupThreshold || (news && flow.Sack.Total() > DupThreshold * (uint)flow.Mss)) EnterRecovery(flow);
        if (flow.FinSent && flow.SndUna == flow.SndMax) FinAcknowledged(flow);
        if (flow.State != TcpState.Free && (flow.CanRead || flow.SndUna != flow.HostBase || flow.SndNxt != flow.SndMax)) Touch(flow);
        return true;
    }

    private static void TakeWindow(TcpFlow flow, in TcpSegment segment, uint window)
    {
        // RFC 9293 3.10.7.4: only from a segment that is not older than the one that told last.
        if (Seq.After(flow.SndWl1, segment.Seq) || (flow.SndWl1 == segment.Seq && Seq.After(flow.SndWl2, segment.Ack))) return;
        flow.SndWnd = window;
        flow.SndMaxWnd = Math.Max(flow.SndMaxWnd, window);
        flow.SndWl1 = segment.Seq;
        flow.SndWl2 = segment.Ack;
    }

    private void Advance(TcpFlow flow, in TcpSegment segment)
    {
        var acked = segment.Ack - flow.SndUna;
        flow.SndUna = segment.Ack;
        flow.DupAcks = 0;
        flow.UndiscardedAcks++;
        flow.Rtt.Progress();
        var now = _loop.NowMilliseconds;
        if (flow.Timestamps && segment.HasTimestamps && segment.TsEcho != 0)
        {
            var sample = (int)(TimestampNow(flow) - segment.TsEcho);
            if (sample >= 0) flow.Rtt.Add(sample);
        }
        else if (flow.RttTiming && !Seq.Before(segment.Ack, flow.RttSeq))
        {
            flow.RttTiming = false;
            flow.Rtt.Add((int)Math.Min(now - flow.RttStart, RttEstimator.MaxTimeout));
        }
        if (flow.Sack.Count > 0) flow.Sack.Trim(segment.Ack);
        if (Seq.Before(flow.SndNxt, flow.SndUna)) flow.SndNxt = flow.SndUna;
        if (flow.InRecovery)
        {
            if (!Seq.Before(flow.SndUna, flow.RecoverSeq)) LeaveRecovery(flow);
            // RFC 6582: a partial acknowledgement names the next hole.
            else if (flow.SndNxt == flow.SndMax && flow.Sack.Count == 0) RetransmitFrom(flow, flow.SndUna, flow.SndUna + (uint)flow.Mss);
            else if (flow.SndNxt == flow.SndMax && Seq.Before(flow.SndUna, flow.Sack.Highest)) RetransmitFrom(flow, flow.SndUna, flow.Sack.Highest);
        }
        if (flow.Cwnd != long.MaxValue)
        {
            flow.Cwnd += acked;
            // The link loses nothing by itself: once a burst as large as the guest's window went well, the bound is lifted.
            if (flow.Cwnd > flow.SndMaxWnd && !flow.InRecovery) flow.Cwnd = long.MaxValue;
        }
        flow.RetransmitAt = flow.SndUna == flow.SndMax ? 0 : now + flow.Rtt.Timeout;
        if (flow.RetransmitAt != 0) _wheel.Ensure(flow, flow.RetransmitAt);
    }

    /// <summary>Fast retransmit: sends the holes below what the guest has, or one segment when it does not say what it has.</summary>
    private static void EnterRecovery(TcpFlow flow)
    {
        if (flow.InRecovery || flow.SndUna == flow.SndMax) return;
        flow.InRecovery = true;
        flow.RecoverSeq = flow.SndMax;
        flow.DupAcks = 0;
        flow.Cwnd = Math.Max((flow.SndMax - flow.SndUna) / 2, 10L * flow.Mss);
        var end = flow.Sack.Count > 0 ? flow.Sack.Highest : Seq.Min(flow.SndUna + (uint)flow.Mss, flow.DataEnd);
        RetransmitFrom(flow, flow.SndUna, end);
    }

    private static void LeaveRecovery(TcpFlow flow)
    {
        flow.InRecovery = false;
        flow.DupAcks = 0;
    }

    /// <summary>Turns sending back; the data is still in the kernel and is peeked anew.</summary>
    private static void RetransmitFrom(TcpFlow flow, uint from, uint to)
    {
        flow.SndNxt = from;
        flow.RetransmitEnd = Seq.Min(to, flow.SndMax);
        flow.RttTiming = false;     // Karn
    }
}
