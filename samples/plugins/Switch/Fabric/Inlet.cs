using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace Samples.Switch.Fabric;

/// <summary>
/// What one lane gives to one port: the ring for frames that wait, and the senders that wait for room in it. One thread gives, the port's
/// thread takes.
/// </summary>
internal sealed class Inlet(Port port)
{
    private FrameRing? _ring;
    private Port? _waiting;
    private long _dropped;
    private long _counted;

    public Port Port => port;

    /// <summary>The lane's note that it has given something in this batch.</summary>
    public bool IsTouched { get; set; }

    /// <summary>Null until the first frame has to wait.</summary>
    public FrameRing? Ring => Volatile.Read(ref _ring);

    public bool IsEmpty => Ring is not { Count: > 0 };

    /// <summary>Whether a sender waits; perhaps a moment old.</summary>
    public bool HasWaiting => Volatile.Read(ref _waiting) is not null;

    /// <summary>Frames that found no room so far.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Copies a frame into the ring; false when there is no room. The giving side.</summary>
    public bool TryWrite(ReadOnlySpan<Segment> frame, int length, in FrameOffload offload)
    {
        if (_ring is null) Volatile.Write(ref _ring, new FrameRing(port.RingSize, port.MaxQueuedFrames));
        return _ring!.TryWrite(frame, length, offload);
    }

    /// <summary>Counts a frame that found no room. The giving side.</summary>
    public void Drop() => Volatile.Write(ref _dropped, _dropped + 1);

    /// <summary>Frames that found no room since the last call. The taking side.</summary>
    public long TakeDrops()
    {
        var dropped = Dropped;
        var news = dropped - _counted;
        _counted = dropped;
        return news;
    }

    /// <summary>Notes a sender that waits for room; <see cref="Wake"/> tells it. The giving side.</summary>
    public void Wait(Port sender)
    {
        if (sender.IsWaiting) return;
        sender.IsWaiting = true;
        do sender.NextWaiting = Volatile.Read(ref _waiting);
        while (Interlocked.CompareExchange(ref _waiting, sender, sender.NextWaiting) != sender.NextWaiting);
    }

    /// <summary>
    /// Tells all senders that wait to try again. Either side, after the change that they wait for: a sender notes itself and then looks
    /// whether things changed, we change things and then look for notes; with a fence on both sides one of the two sees the other.
    /// </summary>
    public void Wake()
    {
        // Wait has its fence in the exchange. Without this one the read below may come before the change is seen.
        Interlocked.MemoryBarrier();
        if (!HasWaiting) return;
        for (var sender = Interlocked.Exchange(ref _waiting, null); sender is not null;)
        {
            var next = sender.NextWaiting;
            sender.NextWaiting = null;
            sender.TryAgain();
            sender = next;
        }
    }

    /// <summary>Throws away what waits. The taking side.</summary>
    public void Discard()
    {
        if (Ring is { } ring)
        {
            Span<Segment> room = stackalloc Segment[2];
            while (ring.TryPeek(room, out _, out var header)) ring.Release(header);
        }
        Wake();
    }
}
