using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Offload;

namespace NicHost.Dio.Windows;

/// <summary>From a NIC of vmswitch into the guest's memory. What is read before the guest has buffers waits where it was read.</summary>
internal sealed unsafe class FrameReceive(EndpointQueueConfig config)
{
    /// <summary>Frames per turn, so that others on the loop live.</summary>
    private const int Budget = 64;

    private readonly SoftwareReceiver _receiver = new(config);
    private readonly bool _takesTags = config.AcceptedRx.Has(OffloadSet.Vlan);

    /// <summary>How a turn ended.</summary>
    internal enum Outcome
    {
        /// <summary>There is nothing more: the event tells.</summary>
        Idle,

        /// <summary>There is more for another turn.</summary>
        More,

        /// <summary>The guest has no buffers: wait until it says that there are some.</summary>
        NoBuffers,

        /// <summary>The NIC does not read any more.</summary>
        Failure,
    }

    /// <summary>Gives the guest what was read.</summary>
    public Outcome Run(FrameReads reads)
    {
        var outcome = Outcome.More;
        var any = false;
        for (var left = Budget; left > 0 && outcome == Outcome.More; left--)
        {
            var found = reads.Peek(out var frame);
            if (found == FrameReads.Found.Nothing) outcome = Outcome.Idle;
            else if (found == FrameReads.Found.Failure) outcome = Outcome.Failure;
            else if (found == FrameReads.Found.Frame && !Deliver(frame)) outcome = Outcome.NoBuffers;
            else
            {
                if (found == FrameReads.Found.Malformed) config.Counters.DropRx(DropReason.Malformed);
                any = true;
                reads.Advance();
            }
        }
        if (any) config.Device.Flush();
        return outcome;
    }

    private bool Deliver(ReadOnlySpan<byte> frame)
    {
        // SAFETY: the frame lies in native memory, and its read is not started anew before this returns.
        fixed (byte* at = frame)
        {
            if (!_takesTags || !VlanTag.TryRead(frame, out var tci)) return _receiver.Deliver([new Segment(at, frame.Length)], frame.Length, default);
            const int Behind = VlanTag.At + VlanTag.Size;
            ReadOnlySpan<Segment> untagged = [new Segment(at, VlanTag.At), new Segment(at + Behind, frame.Length - Behind)];
            return _receiver.Deliver(untagged, frame.Length - VlanTag.Size, new FrameOffload { Flags = FrameFlags.Vlan, VlanTci = tci });
        }
    }
}
