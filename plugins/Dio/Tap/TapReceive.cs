using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Offload;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>
/// From a TAP into the guest's memory: one readv for each frame, its header into a place of ours and its bytes into the buffers that the guest
/// posted. A TAP does not say how long its next frame is, and cuts off what finds no room; so behind the guest's buffers lies a room of ours.
/// A frame that reaches into it, because the guest had not posted enough for the longest one, is copied, and waits there when it must.
/// </summary>
internal sealed unsafe class TapReceive(EndpointQueueConfig config)
{
    /// <summary>Frames per turn, so that others on the loop live.</summary>
    private const int Budget = 64;

    private const int Room = FrameLimits.MaxFrame + 64;
    private readonly IoVec[] _pieces = GC.AllocateUninitializedArray<IoVec>(2 + FrameLimits.MaxRxSegments, pinned: true);
    private readonly Segment[] _segments = GC.AllocateUninitializedArray<Segment>(FrameLimits.MaxRxSegments, pinned: true);
    private readonly byte[] _spill = GC.AllocateUninitializedArray<byte>(Room, pinned: true);
    private readonly SoftwareReceiver _receiver = new(config);
    private readonly int _longest = config.MaxRxFrame;
    private readonly int _plain = Math.Min(config.MaxRxFrame, 2048);
    private int _waiting;
    private FrameOffload _waitingOffload;

    /// <summary>How a turn ended.</summary>
    internal enum Outcome
    {
        /// <summary>There is nothing more, or more for another turn: the loop tells.</summary>
        Idle,

        /// <summary>The guest has no buffers: wait until it says that there are some.</summary>
        NoBuffers,

        /// <summary>The TAP is gone.</summary>
        Gone,
    }

    /// <summary>The TAP's queue; negative when there is none.</summary>
    public int Fd { get; set; } = -1;

    /// <summary>Frames that were copied.</summary>
    public long Copied { get; private set; }

    /// <summary>Reads what there is.</summary>
    public Outcome Run()
    {
        var outcome = Outcome.Idle;
        var any = false;
        for (var left = Budget; left > 0 && Next(ref outcome); left--) any = true;
        if (any) config.Device.Flush();
        return outcome;
    }

    /// <returns>False when the turn ends.</returns>
    private bool Next(ref Outcome outcome)
    {
        if (_waiting > 0 && !DeliverWaiting()) return End(ref outcome, Outcome.NoBuffers);
        var wanted = _longest;
        var count = config.Device.Reserve(wanted, _segments, out var ticket);
        if (count == 0 && wanted > _plain) count = config.Device.Reserve(wanted = _plain, _segments, out ticket);
        if (count == 0) return End(ref outcome, Outcome.NoBuffers);

        VnetHeader header = default;
        var result = Io.ReadV(Fd, Pieces(&header, count, wanted));
        var length = result.Count - VnetHeader.Size;
        if (length > 0 && length <= wanted && header.TryRead(length, out var offload) && Takes(ref offload))
        {
            config.Device.Commit(ticket, length, offload);
            return true;
        }
        return NotStraight(result, header, _segments.AsSpan(0, count), wanted, ticket, ref outcome);
    }

    private bool NotStraight(SysResult result, in VnetHeader header, ReadOnlySpan<Segment> room, int wanted, RxTicket ticket, ref Outcome outcome)
    {
        var length = result.Count - VnetHeader.Size;
        if (length > 0)
        {
            // The guest's part lies in the guest's memory: what is in the room of ours continues it.
            SegmentOps.CopyTo(room, 0, _spill.AsSpan(0, Math.Min(length, wanted)));
            config.Device.Release(ticket);
            if (length > Room || !header.TryRead(length, out _waitingOffload)) config.Counters.DropRx(DropReason.Malformed);
            else _waiting = length;
            return true;
        }
        config.Device.Release(ticket);
        if (result.Ok || result.WouldBlock) return false;
        if (result.Error is Errno.EBADFD or Errno.EBADF) return End(ref outcome, Outcome.Gone);
        // EFAULT: memory of the guest has gone, and the frame with it.
        config.Counters.DropRx(DropReason.HostError);
        return result.Error != Errno.EIO;
    }

    private bool DeliverWaiting()
    {
        fixed (byte* start = _spill)
        {
            var whole = new Segment(start, _waiting);
            if (!_receiver.Deliver(new ReadOnlySpan<Segment>(in whole), _waiting, _waitingOffload)) return false;
        }
        Copied++;
        _waiting = 0;
        return true;
    }

    /// <summary>The header, the guest's buffers up to what was reserved, and the room of ours behind.</summary>
    private ReadOnlySpan<IoVec> Pieces(VnetHeader* header, int count, int wanted)
    {
        _pieces[0] = new IoVec(header, VnetHeader.Size);
        var left = (nuint)wanted;
        var at = 1;
        for (var i = 0; i < count && left > 0; i++)
        {
            var take = Math.Min(_segments[i].Length, left);
            _pieces[at++] = new IoVec((nint)_segments[i].Base, take);
            _segments[i].Length = take;
            left -= take;
        }
        for (var i = at - 1; i < count; i++) _segments[i].Length = 0;
        fixed (byte* start = _spill) _pieces[at++] = new IoVec(start + wanted, Room - wanted);
        return _pieces.AsSpan(0, at);
    }

    /// <summary>Frames that were on their way when the kernel was told what this guest takes are finished in software.</summary>
    private bool Takes(ref FrameOffload offload)
    {
        var accepted = config.AcceptedRx;
        if (!accepted.Has(OffloadSet.Checksum))
        {
            if (offload.Checksum == ChecksumState.Partial) return false;
            // The kernel says what it knows, asked or not.
            offload.Checksum = ChecksumState.Unknown;
        }
        if (offload.Flags.Has(FrameFlags.Ecn) && !accepted.Has(OffloadSet.TsoEcn)) return false;
        return offload.Gso switch
        {
            GsoKind.None => true,
            GsoKind.TcpV4 => accepted.Has(OffloadSet.TsoV4),
            GsoKind.TcpV6 => accepted.Has(OffloadSet.TsoV6),
            _ => accepted.Has(OffloadSet.UsoV4 | OffloadSet.UsoV6),
        };
    }

    private static bool End(ref Outcome outcome, Outcome why)
    {
        outcome = why;
        return false;
    }
}
