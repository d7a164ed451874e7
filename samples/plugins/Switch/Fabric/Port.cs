using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Nics;
using NicHost.Contracts.Offload;

namespace Samples.Switch.Fabric;

/// <summary>
/// One NIC's port, seen from the others: takes frames for its guest. A sender on the same thread writes into the guest's buffers; one on
/// another thread, or while the guest has no buffers, into a ring. The guest that takes too long loses frames, nobody else does.
/// </summary>
internal sealed partial class Port
{
    private readonly Inlet?[] _inlets = new Inlet?[Lane.Most];
    private readonly Action _drain;
    private readonly Action _tryAgain;
    private EndpointQueueConfig? _queue;
    private SoftwareReceiver? _receiver;
    private Lane? _lane;
    private int _inletCount;
    private volatile bool _isOpen;
    private volatile bool _isStarved;

    public Port(EndpointContext context, SwitchOptions options)
    {
        (Nic, Address, Loop) = (context.Nic, context.Mac, context.Loop);
        (IsIsolated, MaxLearned, MaxQueuedFrames) = (options.Isolated, options.MaxAddresses - 1, options.MaxQueuedFrames);
        _drain = Drain;
        _tryAgain = () =>
        {
            IsWaiting = false;
            _queue?.Device.TransmitReady();
        };
    }

    public NicIdentity Nic { get; }

    /// <summary>The NIC's own address, which is always behind this port.</summary>
    public MacAddress Address { get; }

    public IEventLoop Loop { get; }

    /// <summary>Whether it reaches only ports that are not isolated.</summary>
    public bool IsIsolated { get; set; }

    /// <summary>Addresses that it may have beside its NIC's.</summary>
    public int MaxLearned { get; set; }

    /// <summary>Addresses that it has beside its NIC's. Written under the network's lock.</summary>
    public int Learned { get; set; }

    public int MaxQueuedFrames { get; }

    /// <summary>Bytes of a ring: room for as many frames of a few KiB; at least some of the longest.</summary>
    public int RingSize => (int)Math.Clamp(System.Numerics.BitOperations.RoundUpToPowerOf2((uint)MaxQueuedFrames * 4096), 256 << 10, 64 << 20);

    /// <summary>Whether a guest has its queue open.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>As a sender: whether it waits for room somewhere. Its own thread's.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>As a sender: the one behind it in the same chain.</summary>
    public Port? NextWaiting { get; set; }

    /// <summary>A guest has opened its queue. On the port's loop.</summary>
    public void Open(EndpointQueueConfig queue, Lane lane)
    {
        DiscardAll();
        (_queue, _receiver, _lane) = (queue, new SoftwareReceiver(queue), lane);
        _isStarved = false;
        _isOpen = true;
    }

    /// <summary>The guest has closed its queue. On the port's loop.</summary>
    public void Close()
    {
        _isOpen = false;
        (_queue, _receiver) = (null, null);
        DiscardAll();
    }

    /// <summary>The guest has buffers again. On the port's loop.</summary>
    public void ReceiveReady()
    {
        _isStarved = false;
        Drain();
    }

    /// <summary>Gives the guest a frame, now or later, or drops it with a count. On the sender's loop.</summary>
    /// <returns>False when the sender should wait and will be told. Only if <paramref name="mayWait"/>.</returns>
    public bool TryGive(Lane lane, Port sender, ReadOnlySpan<Segment> frame, int length, in FrameOffload offload, bool mayWait)
    {
        var inlet = Volatile.Read(ref _inlets[lane.Index]) ?? AddInlet(lane);
        lane.Touch(inlet);
        var here = lane == _lane;
        if (here && !_isStarved && inlet.IsEmpty)
        {
            if (Deliver(frame, length, offload)) return true;
            Starve();
        }
        if (inlet.TryWrite(frame, length, offload)) return true;
        // Our thread has not come to it yet: that takes a moment. A guest without buffers may take for ever, and holds up nobody.
        if (mayWait && !here && !_isStarved)
        {
            inlet.Wait(sender);
            // If things changed between the look and the note, nobody was told.
            if (_isStarved || !_isOpen || inlet.Ring!.IsHalfEmpty) inlet.Wake();
            return false;
        }
        inlet.Drop();
        return true;
    }

    /// <summary>A batch of a lane is through. On the sender's loop.</summary>
    public void Announce(Lane lane)
    {
        if (lane != _lane)
        {
            Signal();
            return;
        }
        CountDrops(_inlets[lane.Index]!);
        Flush();
    }

    /// <summary>As a sender: there is room again where it waited, or no point in waiting. Any thread.</summary>
    public void TryAgain() => Loop.Post(_tryAgain);

    public void Inspect(InspectWriter writer)
    {
        var (queued, dropped) = (0, 0L);
        foreach (var inlet in _inlets.AsSpan(0, Volatile.Read(ref _inletCount)))
        {
            queued += inlet?.Ring?.Count ?? 0;
            dropped += inlet?.Dropped ?? 0;
        }
        writer.Value("queuedFrames", queued);
        writer.Value("queueDrops", dropped);
        writer.Value("guestHasBuffers", !_isStarved);
    }

    // Each lane makes its own.
    private Inlet AddInlet(Lane lane)
    {
        var inlet = new Inlet(this);
        Volatile.Write(ref _inlets[lane.Index], inlet);
        int count;
        while ((count = Volatile.Read(ref _inletCount)) <= lane.Index && Interlocked.CompareExchange(ref _inletCount, lane.Index + 1, count) != count) { }
        return inlet;
    }
}
