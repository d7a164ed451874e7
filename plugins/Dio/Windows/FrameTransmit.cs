using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;

namespace NicHost.Dio.Windows;

/// <summary>From the guest's memory to a NIC of vmswitch: whole frames, one write each.</summary>
internal sealed class FrameTransmit(QueueCounters counters) : IEndpointQueue
{
    /// <summary>The NIC's reads and writes; null while there is no NIC.</summary>
    public FrameIo? Io { get; set; }

    /// <summary>Whether frames were left with the guest for want of room.</summary>
    public bool IsStalled { get; private set; }

    public int Transmit(in TxBatch batch)
    {
        for (var i = 0; i < batch.Frames.Length; i++)
        {
            ref readonly var frame = ref batch.Frames[i];
            if (!Send(batch, frame)) return i;
        }
        return batch.Frames.Length;
    }

    /// <summary>Looks at the writes that are done.</summary>
    /// <returns>Whether there is room now for what was left with the guest.</returns>
    public bool Collect()
    {
        if (Io is not { } io) return false;
        for (var failed = io.Writes.Collect(); failed > 0; failed--) counters.DropTx(DropReason.HostError);
        if (!IsStalled || !io.Writes.HasRoom) return false;
        IsStalled = io.WatchesWrites = false;
        return true;
    }

    /// <summary>Forgets the NIC.</summary>
    /// <returns>Whether frames were left with the guest.</returns>
    public bool Detach()
    {
        var wasStalled = IsStalled;
        (Io, IsStalled) = (null, false);
        return wasStalled;
    }

    public void ReceiveReady() { }

    public void Close() { }

    private bool Send(in TxBatch batch, in TxFrame frame)
    {
        if (Io is not { } io)
        {
            counters.DropTx(DropReason.LinkDown);
            return true;
        }
        var outcome = io.Writes.Send(batch.SegmentsOf(frame), frame.Length);
        if (outcome == FrameWrites.Outcome.NoRoom)
        {
            // Watched first, then looked at: whatever ends after the look wakes the loop.
            IsStalled = io.WatchesWrites = true;
            if (!Collect()) return false;
            outcome = io.Writes.Send(batch.SegmentsOf(frame), frame.Length);
        }
        switch (outcome)
        {
            case FrameWrites.Outcome.TooLong: counters.DropTx(DropReason.TooLong); break;
            case FrameWrites.Outcome.Malformed: counters.DropTx(DropReason.Malformed); break;
            case FrameWrites.Outcome.Failed: counters.DropTx(DropReason.HostError); break;
        }
        return true;
    }
}
