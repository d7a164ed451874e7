using System.Runtime.InteropServices;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Memory;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <content>
/// Guest to host. Consecutive segments of one flow in one batch become one <c>sendmsg</c> straight from guest memory; what the socket
/// took is acknowledged, once, at the end of the batch.
/// </content>
internal sealed partial class TcpProtocol
{
    // All flows together; beyond it the guest sends again.
    private const int MaxSpills = 128;

    // Flows whose segments come mixed in one batch, each with a run of its own; one more makes the next in turn go out.
    private const int Runs = 4;

    private readonly GatherRun[] _gather = [new(), new(), new(), new()];
    private readonly Stack<Spill> _spillPool = new();
    private uint _nextRun;
    private int _spills;
    private long _spilledBytes;

    /// <summary>The number that the guest's next segment should have, with what is gathered and not yet sent.</summary>
    private static uint NextExpected(TcpFlow flow) => flow.RcvNxt + (flow.Gathered is { } run ? (uint)run.Bytes : 0);

    /// <summary>Adds payload to what the next <c>sendmsg</c> carries. In order and inside the window: the caller has seen to it.</summary>
    /// <param name="offset">Where it starts, counted from the TCP header.</param>
    private void Gather(TcpFlow flow, ref GuestFrame frame, int offset, int length)
    {
        var start = frame.TransportOffset + offset;
        var expected = NextExpected(flow);
        var run = flow.Gathered ?? StartRun(flow);
        var count = SegmentOps.Slice(frame.Segments, start, length, run.Segments.AsSpan(run.Count));
        if (count < 0)
        {
            FlushGather(flow);
            // The flush may have found the socket dead, or full: then the guest sends this again.
            if (flow.State == TcpState.Free || flow.RcvNxt != expected) return;
            run = StartRun(flow);
            count = SegmentOps.Slice(frame.Segments, start, length, run.Segments);
            if (count < 0)
            {
                DropGather(flow);
                Drop(flow.Queue, DropReason.Malformed);
                return;
            }
        }
        run.Count += count;
        run.Bytes += length;
    }

    private GatherRun StartRun(TcpFlow flow)
    {
        GatherRun? free = null;
        foreach (var run in _gather)
        {
            if (run.Flow is null) free = run;
        }
        if (free is null)
        {
            free = _gather[_nextRun++ % Runs];
            FlushGather(free.Flow!);
        }
        free.Flow = flow;
        flow.Gathered = free;
        return free;
    }

    private void FlushAllGathered()
    {
        foreach (var run in _gather)
        {
            if (run.Flow is { } flow) FlushGather(flow);
        }
    }

    private static void DropGather(TcpFlow flow)
    {
        if (flow.Gathered is not { } run) return;
        flow.Gathered = null;
        run.Flow = null;
        run.Count = run.Bytes = 0;
    }

    /// <summary>Sends what was gathered of one flow.</summary>
    private void FlushGather(TcpFlow flow)
    {
        if (flow.Gathered is not { } run) return;
        var bytes = run.Bytes;
        ReadOnlySpan<Segment> gathered = run.Segments.AsSpan(0, run.Count);
        DropGather(flow);
        if (bytes == 0) return;
        var sent = 0;
        if (flow.Spill is null)
        {
            var result = Sockets.SendMsg(flow.Fd, MemoryMarshal.Cast<Segment, IoVec>(gathered), MsgFlags.DontWait);
            if (result.Failed && !result.WouldBlock)
            {
                HostFailed(flow, result.Error);
                return;
            }
            sent = Math.Max(0, result.Count);
        }
        var kept = sent == bytes ? 0 : SpillRest(flow, gathered, sent, bytes - sent);
        flow.RcvNxt += (uint)(sent + kept);
        BytesFromGuest += sent + kept;
        flow.SentSinceLook += sent + SendOverhead;
        if (sent == bytes)
        {
            if (flow.Future is not null) DeliverFuture(flow);
            return;
        }
        flow.Room = 0;
        flow.AckPending = true;
        if (sent + kept < bytes)
        {
            // The window was wider than the socket in the end: it shrinks to what is true.
            Drop(flow.Queue, DropReason.SocketFull);
            flow.RcvEdge = flow.RcvNxt;
        }
        WaitForWritable(flow);
    }

    // What a send costs in the socket's accounting beside its bytes, roughly: one buffer head.
    private const int SendOverhead = 1024;

    private int SpillRest(TcpFlow flow, ReadOnlySpan<Segment> segments, int offset, int length)
    {
        if (flow.Spill is null)
        {
            if (_spills >= MaxSpills) return 0;
            _spills++;
            flow.Spill = _spillPool.TryPop(out var pooled) ? pooled : new Spill();
            flow.Spill.Open();
        }
        var kept = flow.Spill.Append(segments, offset, length);
        _spilledBytes += kept;
        return kept;
    }

    private void ReleaseSpill(TcpFlow flow)
    {
        if (flow.Spill is not { } spill) return;
        flow.Spill = null;
        spill.Close();
        _spillPool.Push(spill);
        _spills--;
    }

    /// <summary>Sends what was spilled.</summary>
    /// <returns>False when the socket is full again, or has failed.</returns>
    private bool DrainSpill(TcpFlow flow)
    {
        if (flow.Spill is not { } spill) return true;
        while (!spill.Pending.IsEmpty)
        {
            var result = Sockets.Send(flow.Fd, spill.Pending, MsgFlags.DontWait);
            if (result.WouldBlock) return false;
            if (result.Failed)
            {
                HostFailed(flow, result.Error);
                return false;
            }
            spill.Consume(result.Count);
        }
        ReleaseSpill(flow);
        if (flow.Future is not null) DeliverFuture(flow);
        if (flow.State == TcpState.Free) return false;
        if (!flow.FinBehindSpill) return true;
        flow.FinBehindSpill = false;
        GuestFin(flow);
        return flow.State != TcpState.Free;
    }
}
