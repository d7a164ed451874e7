using System.Runtime.ExceptionServices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace Samples.Switch.Fabric;

/// <content>From the rings to the guest. On the port's own thread, but <see cref="Signal"/>.</content>
internal sealed partial class Port
{
    // Work of one turn, before others of the loop have theirs.
    private const int FramesPerTurn = 256;

    private int _signalled;
    private int _next;
    private bool _isUnflushed;

    /// <summary>Makes the port's thread look at its rings. Any thread.</summary>
    private void Signal()
    {
        if (Interlocked.Exchange(ref _signalled, 1) == 0) Loop.Post(_drain);
    }

    private void Drain()
    {
        // Before the look: what is written after it signals anew.
        Interlocked.Exchange(ref _signalled, 0);
        if (!_isOpen)
        {
            DiscardAll();
            return;
        }
        var left = FramesPerTurn;
        var count = Volatile.Read(ref _inletCount);
        for (var i = 0; i < count && left > 0; i++)
        {
            // Each turn starts with another: no lane has the others wait.
            _next = (_next + 1) % count;
            if (Volatile.Read(ref _inlets[_next]) is { } inlet) left = Drain(inlet, left);
        }
        Flush();
        if (left == 0 && _isOpen) Signal();
    }

    private int Drain(Inlet inlet, int left)
    {
        CountDrops(inlet);
        if (inlet.Ring is not { } ring) return left;
        Span<Segment> room = stackalloc Segment[2];
        while (left > 0 && !_isStarved && ring.TryPeek(room, out var parts, out var header))
        {
            if (!Deliver(room[..parts], header.Length, header.Offload))
            {
                Starve();
                return left;
            }
            ring.Release(header);
            left--;
            if (inlet.HasWaiting && ring.IsHalfEmpty) inlet.Wake();
        }
        // Once more with a fence, which would be dear for each frame.
        if (ring.IsHalfEmpty) inlet.Wake();
        return left;
    }

    private bool Deliver(ReadOnlySpan<Segment> frame, int length, in FrameOffload offload)
    {
        if (!_isOpen) return true;
        try
        {
            if (!_receiver!.Deliver(frame, length, offload)) return false;
            _isUnflushed = true;
        }
#pragma warning disable CA1031 // whatever this NIC's device throws, the sender is not to blame for it
        catch (Exception e) { Break(e); }
#pragma warning restore CA1031
        return true;
    }

    private void Flush()
    {
        if (!_isUnflushed || !_isOpen) return;
        _isUnflushed = false;
        try { _queue!.Device.Flush(); }
#pragma warning disable CA1031
        catch (Exception e) { Break(e); }
#pragma warning restore CA1031
    }

    // The host ends the NIC in whose posted work an exception leaves.
    private void Break(Exception e)
    {
        _isOpen = false;
        Loop.Post(() => ExceptionDispatchInfo.Throw(e));
    }

    // The device tells when its guest has buffers. Until then nobody needs to wait: there is no telling how long it takes.
    private void Starve()
    {
        _isStarved = true;
        foreach (var inlet in _inlets.AsSpan(0, Volatile.Read(ref _inletCount))) inlet?.Wake();
    }

    private void CountDrops(Inlet inlet)
    {
        for (var drops = inlet.TakeDrops(); drops > 0; drops--) _queue?.Counters.DropRx(DropReason.QueueFull);
    }

    private void DiscardAll()
    {
        foreach (var inlet in _inlets.AsSpan(0, Volatile.Read(ref _inletCount))) inlet?.Discard();
    }
}
