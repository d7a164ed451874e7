using System.Runtime.CompilerServices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicHost.Virtio.Net;

/// <summary>From the guest's tx ring to the endpoint, in batches, without copying payload. On the queue's loop; nothing here allocates.</summary>
internal sealed unsafe class TxPath(RingSlot slot, QueueCounters counters, int maxFrame)
{
    // The header may lie in a descriptor of its own.
    private const int MaxPieces = FrameLimits.MaxTxSegments + 1;
    private const int SegmentRoom = 1024 + MaxPieces;

    private readonly TxFrame[] _frames = new TxFrame[FrameLimits.MaxBatch];
    private readonly Chain[] _chains = new Chain[FrameLimits.MaxBatch];
    private readonly Segment[] _segments = GC.AllocateUninitializedArray<Segment>(SegmentRoom, pinned: true);
    private NetFeatures _accepted;
    private int _headerSize;
    private int _chainCount;
    private int _frameCount;
    private int _segmentCount;

    /// <summary>How a round ended.</summary>
    internal enum Outcome
    {
        /// <summary>The ring is empty and kicks are enabled.</summary>
        Idle,

        /// <summary>The endpoint has no room: wait for it.</summary>
        Stalled,

        /// <summary>There may be more: come back after the others.</summary>
        More,

        /// <summary>The guest broke the ring.</summary>
        Broken,
    }

    private struct Chain
    {
        public ushort Head;
        public short Frame;
        public DropReason Reason;
    }

    public void Configure(NetFeatures accepted)
    {
        _accepted = accepted;
        _headerSize = NetHeader.SizeFor(accepted);
    }

    /// <summary>Drains the ring for up to <paramref name="batches"/> batches.</summary>
    /// <param name="endpoint">Takes the frames; null throws them away with a count.</param>
    /// <param name="batches">Bound of the work, so that other NICs of the loop live.</param>
    public Outcome Run(IEndpointQueue? endpoint, int batches)
    {
        if (slot.Ring is not { } ring) return Outcome.Idle;
        ring.DisableKicks();
        while (true)
        {
            Gather(ring);
            if (_chainCount == 0)
            {
                if (ring.Fault is not null) return Outcome.Broken;
                if (!ring.EnableKicks()) return Outcome.Idle;
                ring.DisableKicks();
            }
            else
            {
                var taken = Hand(endpoint);
                Finish(ring, taken, endpoint is not null);
                if (taken < _frameCount) return Outcome.Stalled;
            }
            // An available index that does not rest must not hold the loop either.
            if (--batches == 0) return ring.Fault is null ? Outcome.More : Outcome.Broken;
        }
    }

    private int Hand(IEndpointQueue? endpoint)
    {
        if (endpoint is null || _frameCount == 0) return _frameCount;
        var batch = new TxBatch(_frames.AsSpan(0, _frameCount), _segments.AsSpan(0, _segmentCount));
        var taken = Math.Clamp(endpoint.Transmit(batch), 0, _frameCount);
        if (taken < _frameCount) counters.TxStalls++;
        return taken;
    }

    private void Gather(Virtqueue.Virtqueue ring)
    {
        _chainCount = _frameCount = _segmentCount = 0;
        while (_chainCount < _chains.Length && SegmentRoom - _segmentCount >= MaxPieces && ring.TryPop(out var head))
        {
            var pieces = ring.Walk(head, _segments.AsSpan(_segmentCount, MaxPieces), out var readable);
            if (pieces == Virtqueue.Virtqueue.Broken) return;
            ref var chain = ref _chains[_chainCount++];
            chain.Head = head;
            chain.Frame = -1;
            // 5.1.6.2: tx buffers are readable. A writable piece is no frame.
            if (pieces == Virtqueue.Virtqueue.TooLong) chain.Reason = DropReason.TooLong;
            else if (readable != pieces) chain.Reason = DropReason.Malformed;
            else if (TryAddFrame(pieces, out chain.Reason)) chain.Frame = (short)(_frameCount - 1);
        }
    }

    private bool TryAddFrame(int pieces, out DropReason reason)
    {
        var segments = _segments.AsSpan(_segmentCount, pieces);
        ulong total = 0;
        foreach (ref readonly var segment in segments) total += segment.Length;
        reason = DropReason.Malformed;
        if (total < (ulong)(_headerSize + FrameLimits.EthernetHeader)) return false;
        reason = DropReason.TooLong;
        if (total > (ulong)(_headerSize + FrameLimits.MaxFrame)) return false;

        var length = (int)total - _headerSize;
        NetHeader header = default;
        var skip = TakeHeader(segments, ref header);
        if (pieces - skip > FrameLimits.MaxTxSegments) return false;
        ref var frame = ref _frames[_frameCount];
        reason = DropReason.BadOffload;
        if (!header.TryRead(_accepted, length, out frame.Offload)) return false;
        reason = DropReason.TooLong;
        if (frame.Offload.Gso == GsoKind.None && length > maxFrame) return false;
        frame.FirstSegment = _segmentCount + skip;
        frame.SegmentCount = pieces - skip;
        frame.Length = length;
        _frameCount++;
        _segmentCount += pieces;
        return true;
    }

    /// <summary>Copies the header, which may lie across pieces, and cuts it off.</summary>
    /// <returns>Pieces that held nothing else.</returns>
    private int TakeHeader(Span<Segment> segments, ref NetHeader header)
    {
        var target = new Span<byte>(Unsafe.AsPointer(ref header), _headerSize);
        var skip = 0;
        while (target.Length > 0)
        {
            ref var segment = ref segments[skip];
            var take = (int)Math.Min(segment.Length, (nuint)target.Length);
            // SAFETY: take <= segment.Length, and the total of all segments is more than the header (checked by the caller); header is a
            // local of the caller, which does not move.
            new ReadOnlySpan<byte>(segment.Base, take).CopyTo(target);
            target = target[take..];
            segment.Base += take;
            segment.Length -= (nuint)take;
            if (segment.Length == 0) skip++;
        }
        return skip;
    }

    private void Finish(Virtqueue.Virtqueue ring, int taken, bool counted)
    {
        var done = 0;
        for (; done < _chainCount; done++)
        {
            ref readonly var chain = ref _chains[done];
            if (chain.Frame >= taken) break;
            if (chain.Frame < 0) counters.DropTx(chain.Reason);
            else if (!counted) counters.DropTx(DropReason.LinkDown);
            else
            {
                counters.TxFrames++;
                counters.TxBytes += _frames[chain.Frame].Length;
            }
            ring.Complete(chain.Head, 0);
        }
        if (done < _chainCount) ring.Rewind(_chainCount - done);
        if (done == 0) return;
        ring.Publish();
        if (ring.ShouldNotify()) slot.Notify();
    }
}
