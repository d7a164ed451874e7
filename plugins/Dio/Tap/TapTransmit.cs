using System.Runtime.InteropServices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>From the guest's memory into a TAP: one writev for each frame or super-frame, its header before it.</summary>
internal sealed unsafe class TapTransmit(QueueCounters counters) : IEndpointQueue
{
    private readonly IoVec[] _pieces = GC.AllocateUninitializedArray<IoVec>(1 + FrameLimits.MaxTxSegments, pinned: true);

    /// <summary>The TAP's queue; negative when there is none.</summary>
    public int Fd { get; set; } = -1;

    /// <summary>Whether the kernel has no room: wait until it is writable.</summary>
    public bool IsStalled { get; set; }

    /// <summary>Whether the TAP was found gone.</summary>
    public bool IsGone { get; set; }

    public int Transmit(in TxBatch batch)
    {
        for (var i = 0; i < batch.Frames.Length; i++)
        {
            ref readonly var frame = ref batch.Frames[i];
            if (Fd < 0) counters.DropTx(DropReason.LinkDown);
            else if (!Send(batch, frame)) return i;
        }
        return batch.Frames.Length;
    }

    public void ReceiveReady() { }

    public void Close() { }

    private bool Send(in TxBatch batch, in TxFrame frame)
    {
        var header = VnetHeader.From(frame.Offload, frame.Length);
        _pieces[0] = new IoVec(&header, VnetHeader.Size);
        // Of the same layout: what is copied is where the frame lies, not the frame.
        MemoryMarshal.Cast<Contracts.Memory.Segment, IoVec>(batch.SegmentsOf(frame)).CopyTo(_pieces.AsSpan(1));
        var result = Io.WriteV(Fd, _pieces.AsSpan(0, 1 + frame.SegmentCount));
        if (result.Ok) return true;
        if (result.WouldBlock)
        {
            IsStalled = true;
            return false;
        }
        counters.DropTx(Reason(result.Error, frame.Offload));
        IsGone |= result.Error == Errno.EBADFD;
        return true;
    }

    private static DropReason Reason(Errno error, in FrameOffload offload) => error switch
    {
        // The kernel compares the header with the frame.
        Errno.EINVAL => offload.Checksum == ChecksumState.Partial || offload.Gso != GsoKind.None ? DropReason.BadOffload : DropReason.Malformed,
        Errno.EIO or Errno.EBADFD => DropReason.LinkDown,
        _ => DropReason.HostError,
    };
}
