namespace NicHost.Contracts.Frames;

/// <summary>One frame from the guest inside a <see cref="TxBatch"/>.</summary>
public struct TxFrame
{
    /// <summary>Index of its first segment in <see cref="TxBatch.Segments"/>.</summary>
    public int FirstSegment;

    /// <summary>How many segments it has, 1 to <see cref="FrameLimits.MaxTxSegments"/>.</summary>
    public int SegmentCount;

    /// <summary>Its length in bytes: the sum of its segments, 14 to <see cref="FrameLimits.MaxFrame"/>.</summary>
    public int Length;

    /// <summary>What is left to do for it. Fields that the guest wrote are copied here and in range, not yet proven against the headers.</summary>
    public FrameOffload Offload;
}
