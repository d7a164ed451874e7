using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicEndpoint1;

/// <summary>One open queue. All calls come on its loop: no locks; and nothing here allocates per frame.</summary>
internal sealed class ResponderQueue(EndpointQueueConfig config, Responder responder) : IEndpointQueue
{
    private readonly byte[] _frame = new byte[config.MaxRxFrame];
    private readonly Segment[] _room = new Segment[FrameLimits.MaxRxSegments];

    public int Transmit(in TxBatch batch)
    {
        foreach (ref readonly var frame in batch.Frames)
        {
            if (frame.Length > _frame.Length)
            {
                config.Counters.DropTx(DropReason.TooLong);
                continue;
            }
            // The guest may change its memory at any time: one copy, and the copy is what is looked at and used.
            var copy = _frame.AsSpan(0, frame.Length);
            SegmentOps.CopyTo(batch.SegmentsOf(frame), 0, copy);
            if (responder.TryAnswer(copy)) Give(copy);
            else config.Counters.DropTx(DropReason.NotForUs);
        }
        // Once per batch.
        config.Device.Flush();
        return batch.Frames.Length;
    }

    // Answers are not kept for a guest without buffers, so there is nothing to go on with.
    public void ReceiveReady() { }

    public void Close() { }

    private void Give(ReadOnlySpan<byte> frame)
    {
        var count = config.Device.Reserve(frame.Length, _room, out var ticket);
        if (count == 0)
        {
            config.Counters.DropRx(DropReason.NoBuffer);
            return;
        }
        SegmentOps.CopyFrom(_room.AsSpan(0, count), 0, frame);
        config.Device.Commit(ticket, frame.Length, default);
    }
}
