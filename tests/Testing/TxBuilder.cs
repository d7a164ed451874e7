using System.Runtime.InteropServices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicHost.Testing;

/// <summary>Builds batches as a device would: frames in native memory, cut into segments.</summary>
public sealed unsafe class TxBuilder : IDisposable
{
    private readonly byte* _memory = (byte*)NativeMemory.AllocZeroed(Capacity);
    private readonly List<TxFrame> _frames = [];
    private readonly List<Segment> _segments = [];
    private int _used;

    private const int Capacity = 8 << 20;

    /// <summary>Adds a frame, cut into segments of at most <paramref name="segmentSize"/> bytes.</summary>
    public TxBuilder Add(ReadOnlySpan<byte> frame, FrameOffload offload = default, int segmentSize = int.MaxValue)
    {
        if (_used + frame.Length > Capacity) throw new InvalidOperationException("The builder is full.");
        var first = _segments.Count;
        frame.CopyTo(new Span<byte>(_memory + _used, frame.Length));
        for (var at = 0; at < frame.Length; at += segmentSize)
        {
            var take = Math.Min(segmentSize, frame.Length - at);
            _segments.Add(new Segment(_memory + _used + at, take));
            if (segmentSize == int.MaxValue) break;
        }
        _frames.Add(new TxFrame { FirstSegment = first, SegmentCount = _segments.Count - first, Length = frame.Length, Offload = offload });
        _used += (frame.Length + 7) & ~7;
        return this;
    }

    /// <summary>Offers all frames and returns how many were taken; the builder is empty afterwards.</summary>
    public int TransmitTo(IEndpointQueue queue)
    {
        var taken = Offer(queue);
        Clear();
        return taken;
    }

    /// <summary>Offers all frames and keeps them for another time. Allocates nothing.</summary>
    public int Offer(IEndpointQueue queue) =>
        queue.Transmit(new TxBatch(CollectionsMarshal.AsSpan(_frames), CollectionsMarshal.AsSpan(_segments)));

    /// <summary>Overwrites bytes of what was added, as a guest may at any time.</summary>
    public Span<byte> Memory => new(_memory, _used);

    public void Clear()
    {
        _frames.Clear();
        _segments.Clear();
        _used = 0;
    }

    public void Dispose() => NativeMemory.Free(_memory);
}
