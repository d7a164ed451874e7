using System.Buffers.Binary;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <content>Text of the guest beyond a hole: kept, reported by SACK, and sent on when the hole is filled.</content>
internal sealed partial class TcpProtocol
{
    // All flows together: 16 MiB. Beyond it a guest sends again.
    private const int MaxFutures = 64;
    private const int MaxSackBlocks = 3;

    private readonly Stack<FutureStore> _futurePool = new();
    private int _futures;

    private void ProcessFuture(TcpFlow flow, ref GuestFrame frame, in TcpSegment segment, uint expected)
    {
        var length = (int)Math.Min(segment.PayloadLength, flow.RcvEdge - segment.Seq);
        if (length <= 0) return;
        var mayReceive = flow.State is TcpState.Established or TcpState.FinWait1 or TcpState.FinWait2 && !flow.FinBehindSpill;
        if (!mayReceive || !OpenFuture(flow)
            || !flow.Future!.Add(segment.Seq, expected, frame.Segments, frame.TransportOffset + segment.HeaderLength, length))
        {
            Drop(flow.Queue, DropReason.QueueFull);
        }
    }

    private bool OpenFuture(TcpFlow flow)
    {
        if (flow.Future is not null) return true;
        if (_futures >= MaxFutures) return false;
        _futures++;
        flow.Future = _futurePool.TryPop(out var pooled) ? pooled : new FutureStore();
        flow.Future.Open();
        return true;
    }

    private void ReleaseFuture(TcpFlow flow)
    {
        if (flow.Future is not { } future) return;
        flow.Future = null;
        future.Close();
        _futurePool.Push(future);
        _futures--;
    }

    /// <summary>Sends what has come into order.</summary>
    private void DeliverFuture(TcpFlow flow)
    {
        while (flow.Future is { } future)
        {
            var ready = future.Ready(flow.RcvNxt);
            if (ready.IsEmpty)
            {
                if (future.IsEmpty) ReleaseFuture(flow);
                return;
            }
            var result = Sockets.Send(flow.Fd, ready, MsgFlags.DontWait);
            if (result.WouldBlock)
            {
                // It stays here, reported but not acknowledged, until the socket has room.
                flow.Room = 0;
                WaitForWritable(flow);
                return;
            }
            if (result.Failed)
            {
                HostFailed(flow, result.Error);
                return;
            }
            flow.RcvNxt += (uint)result.Count;
            BytesFromGuest += result.Count;
            flow.RcvEdge = Seq.Max(flow.RcvEdge, flow.RcvNxt);
            flow.SentSinceLook += result.Count + SendOverhead;
            flow.AckPending = true;
        }
    }

    /// <summary>The SACK option for an acknowledgement: present only while there is a hole.</summary>
    /// <returns>Bytes written.</returns>
    private static int WriteSackOption(TcpFlow flow, Span<byte> options)
    {
        if (!flow.SackOk || flow.Future is not { IsEmpty: false } future) return 0;
        Span<SackRange> blocks = stackalloc SackRange[MaxSackBlocks];
        var count = future.Report(blocks);
        BinaryPrimitives.WriteUInt32BigEndian(options, 0x0101_0502u + (8 * (uint)count));
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(options[(4 + (8 * i))..], blocks[i].Start);
            BinaryPrimitives.WriteUInt32BigEndian(options[(8 + (8 * i))..], blocks[i].End);
        }
        return 4 + (8 * count);
    }
}
