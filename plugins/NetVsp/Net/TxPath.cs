using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.NetVsp.Nvsp;

namespace NicHost.NetVsp.Net;

/// <summary>
/// From the guest's packets to the endpoint, without copying payload. A packet names a section of the send buffer, ranges of guest memory, or
/// both: they are one stream of bytes with one or more RNDIS messages in it, each with one frame. Frames that the endpoint does not take wait
/// here, not in the ring: behind them come completions of received frames, which must not wait. On the queue's loop.
/// </summary>
internal sealed unsafe partial class TxPath
{
    /// <summary>Frames that wait before the guest is left waiting.</summary>
    public const int SoftLimit = 512;

    // Where the endpoint waits for buffers which the guest gives back behind what waits here, more is read; and dropped beyond this.
    private const int HardLimit = 4096;

    private const int FirstCapacity = 128;
    private const int FirstSegments = 1024;

    private readonly QueueCounters _counters;
    private readonly int _maxFrame;
    private Packet[] _packets = new Packet[FirstCapacity];
    private TxFrame[] _frames = new TxFrame[FirstCapacity];
    private bool[] _hasHeader = new bool[FirstCapacity];
    private Segment[] _segments = GC.AllocateUninitializedArray<Segment>(FirstSegments, pinned: true);
    private GuestSettings _settings = GuestSettings.Down;
    private OffloadSet _endpointTakes;
    private int _packetCount;
    private int _completed;
    private int _frameCount;
    private int _segmentCount;

    /// <param name="counters">The queue's.</param>
    /// <param name="maxFrame">Longest frame that is no super-frame.</param>
    public TxPath(QueueCounters counters, int maxFrame)
    {
        _counters = counters;
        _maxFrame = maxFrame;
    }

    private struct Packet
    {
        public ulong Transaction;
        public int Frames;
        public uint Status;
        public bool WantsCompletion;
    }

    /// <summary>Frames that wait for the endpoint.</summary>
    public int Waiting => _frameCount;

    /// <summary>Packets whose completion is due.</summary>
    public int Packets => _packetCount;

    /// <summary>Whether more should not be read for now.</summary>
    public bool IsFull => _frameCount >= SoftLimit || _headerCount > HeaderSlots - FirstCapacity;

    /// <summary>Whether nothing more can be kept: what comes is dropped.</summary>
    public bool IsOverfull => _frameCount >= HardLimit;

    /// <summary>What the guest may leave to us, from the next frame on.</summary>
    public void Configure(GuestSettings settings, OffloadSet endpointTakes)
    {
        _settings = settings;
        _endpointTakes = endpointTakes;
    }

    /// <summary>Forgets everything: the channel is closed.</summary>
    public void Clear() => _packetCount = _completed = _frameCount = _segmentCount = _headerCount = 0;

    /// <summary>Hands frames to the endpoint.</summary>
    /// <param name="endpoint">Takes the frames; null throws them away with a count.</param>
    /// <returns>Whether it took all that it was given.</returns>
    public bool Hand(IEndpointQueue? endpoint)
    {
        var done = 0;
        while (done < _frameCount)
        {
            var count = Math.Min(_frameCount - done, FrameLimits.MaxBatch);
            var taken = endpoint is null ? Throw(count) : Math.Clamp(Offer(endpoint, done, count), 0, count);
            for (var i = done; endpoint is not null && i < done + taken; i++)
            {
                _counters.TxFrames++;
                _counters.TxBytes += _frames[i].Length;
            }
            done += taken;
            if (taken < count) break;
        }
        var all = done == _frameCount;
        if (!all) _counters.TxStalls++;
        Retire(done);
        return all;
    }

    /// <summary>The next packet that is done with.</summary>
    public bool TryComplete(out ulong transaction, out uint status, out bool wanted)
    {
        (transaction, status, wanted) = default((ulong, uint, bool));
        if (_completed == _packetCount || _packets[_completed].Frames > 0) return false;
        ref readonly var packet = ref _packets[_completed++];
        (transaction, status, wanted) = (packet.Transaction, packet.Status, packet.WantsCompletion);
        return true;
    }

    /// <summary>All that is done with was told: its places are free.</summary>
    public void CompletionsTold()
    {
        if (_completed == 0) return;
        Array.Copy(_packets, _completed, _packets, 0, _packetCount - _completed);
        _packetCount -= _completed;
        _completed = 0;
    }

    /// <summary>Drops all frames that wait: the memory that they lie in goes away.</summary>
    public void DropWaiting()
    {
        for (var i = 0; i < _packetCount; i++)
        {
            if (_packets[i].Frames == 0) continue;
            _packets[i].Frames = 0;
            _packets[i].Status = NvspStatus.Failure;
        }
        for (var i = 0; i < _frameCount; i++) _counters.DropTx(DropReason.HostError);
        _frameCount = _segmentCount = _headerCount = 0;
    }

    private int Throw(int count)
    {
        for (var i = 0; i < count; i++) _counters.DropTx(DropReason.LinkDown);
        return count;
    }

    private int Offer(IEndpointQueue endpoint, int first, int count)
    {
        // A batch's segments are those of its frames: what was handed over before lies in front of them.
        var start = _frames[first].FirstSegment;
        ref readonly var last = ref _frames[first + count - 1];
        var segments = last.FirstSegment + last.SegmentCount - start;
        var frames = _frames.AsSpan(first, count);
        if (start > 0)
        {
            foreach (ref var frame in frames) frame.FirstSegment -= start;
        }
        var taken = endpoint.Transmit(new TxBatch(frames, _segments.AsSpan(start, segments)));
        if (start > 0)
        {
            foreach (ref var frame in frames) frame.FirstSegment += start;
        }
        return taken;
    }

    /// <summary>Takes the first frames out and counts them off their packets.</summary>
    private void Retire(int frames)
    {
        var left = frames;
        for (var i = _completed; i < _packetCount && left > 0; i++)
        {
            var take = Math.Min(left, _packets[i].Frames);
            _packets[i].Frames -= take;
            left -= take;
        }
        for (var i = 0; i < frames; i++)
        {
            if (!_hasHeader[i]) continue;
            _headerFirst = (_headerFirst + 1) % HeaderSlots;
            _headerCount--;
        }
        if (frames == _frameCount)
        {
            _frameCount = _segmentCount = 0;
            return;
        }
        if (frames == 0) return;
        var start = _frames[frames].FirstSegment;
        Array.Copy(_frames, frames, _frames, 0, _frameCount - frames);
        Array.Copy(_hasHeader, frames, _hasHeader, 0, _frameCount - frames);
        Array.Copy(_segments, start, _segments, 0, _segmentCount - start);
        _frameCount -= frames;
        _segmentCount -= start;
        for (var i = 0; i < _frameCount; i++) _frames[i].FirstSegment -= start;
    }

    private void MakeRoom(int segments)
    {
        if (_frameCount == _frames.Length)
        {
            Array.Resize(ref _frames, _frames.Length * 2);
            Array.Resize(ref _hasHeader, _frames.Length);
        }
        if (_segmentCount + segments <= _segments.Length) return;
        // Only a guest that sends faster than the endpoint takes gets here, a few times in its life.
        var larger = GC.AllocateUninitializedArray<Segment>(Math.Max(_segments.Length * 2, _segmentCount + segments), pinned: true);
        Array.Copy(_segments, larger, _segmentCount);
        _segments = larger;
    }
}
