using NicHost.Contracts.Memory;

namespace NicHost.Contracts.Frames;

/// <summary>Frames on their way from the guest to the endpoint, lent for one call of <c>IEndpointQueue.Transmit</c>.</summary>
/// <param name="frames">The frames, in the guest's order.</param>
/// <param name="segments">The segments of all frames, in order.</param>
public readonly ref struct TxBatch(ReadOnlySpan<TxFrame> frames, ReadOnlySpan<Segment> segments)
{
    /// <summary>The frames, in the guest's order.</summary>
    public ReadOnlySpan<TxFrame> Frames { get; } = frames;

    /// <summary>The segments of all frames, in order.</summary>
    public ReadOnlySpan<Segment> Segments { get; } = segments;

    /// <summary>The segments of one frame.</summary>
    public ReadOnlySpan<Segment> SegmentsOf(in TxFrame frame) => Segments.Slice(frame.FirstSegment, frame.SegmentCount);
}
