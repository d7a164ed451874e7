using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Loops;
using NicHost.Linux;
using NicHost.Virtio.Virtqueue;

namespace NicHost.Virtio.Net;

/// <summary>One ring of a queue: its life, its kicks and its notifications. On the queue's loop.</summary>
internal sealed class RingSlot(IEventLoop loop, QueueCounters counters, Action kicked) : IFdHandler
{
    private const int PollMilliseconds = 1;

    private IFdWatch? _watch;
    private ILoopTimer? _poll;
    private RingPlan? _plan;
    private RingCall _call;
    private GuestRam? _ram;
    private NetFeatures _accepted;
    private int _baseEpoch;

    /// <summary>The ring while it runs.</summary>
    public Virtqueue.Virtqueue? Ring { get; private set; }

    /// <summary>Whether frames pass.</summary>
    public bool Enabled => Ring is not null && _plan!.Enabled;

    /// <summary>Where it goes on; current while it is stopped.</summary>
    public ushort Next { get; private set; }

    /// <summary>Whether <paramref name="plan"/> means that the ring stops, or starts anew.</summary>
    public bool Changes(RingPlan? plan, GuestRam ram, NetFeatures accepted)
    {
        if (plan is null || _plan is null) return plan is not null || _plan is not null;
        return !plan.SameRun(_plan) || !ReferenceEquals(ram, _ram) || accepted != _accepted;
    }

    /// <summary>Starts the ring.</summary>
    /// <returns>Why it cannot start, or null.</returns>
    public string? Start(RingPlan plan, GuestRam ram, NetFeatures accepted)
    {
        (_plan, _ram, _accepted) = (plan, ram, accepted);
        if (plan.BaseEpoch != _baseEpoch)
        {
            _baseEpoch = plan.BaseEpoch;
            Next = plan.Base;
        }
        Ring = SplitRing.TryCreate(ram.Map, plan.At, NetFeatureMap.Ring(accepted), Next, out var fault);
        if (Ring is null) return fault;
        var deaf = Listen();
        if (deaf is not null) Stop();
        return deaf;
    }

    /// <summary>Hears kicks, if it does not yet.</summary>
    /// <returns>Why it cannot, or null.</returns>
    public string? Listen()
    {
        if (Ring is not { Fault: null } || _watch is not null || _poll is not null) return null;
        if (_plan!.Poll) StartPolling();
        if (_plan.Kick is not { } kick) return null;
        try
        {
            // Edge-triggered: an eventfd needs no read, each kick is a new edge. What was counted before would be told as a kick now, to a
            // ring that is perhaps disabled and not yet set up again; whoever enables a ring looks into it anyway.
            EventFd.Drain(kick.Raw);
            _watch = loop.Watch(kick.Raw, FdEvents.Readable | FdEvents.EdgeTriggered, this);
            return null;
        }
        catch (InvalidOperationException e)
        {
            return $"the kick descriptor is of no use: {e.Message}";
        }
    }

    /// <summary>Stops it. Chains taken and not completed were given back before.</summary>
    public void Stop()
    {
        Deafen();
        if (Ring is not null) Next = Ring.NextAvailable;
        Ring = null;
        _plan = null;
    }

    /// <summary>Hears no kicks any more; the ring stays, so that its place can still be asked for.</summary>
    public void Deafen()
    {
        _watch?.Dispose();
        _watch = null;
        _poll?.Dispose();
        _poll = null;
    }

    /// <summary>Sets where notifications go. A ring that runs notifies there at once, since one may have gone to the old place unseen.</summary>
    public void SetCall(RingCall call)
    {
        if (call == _call) return;
        _call = call;
        if (Ring is not null) Notify();
    }

    /// <summary>Notifies the guest.</summary>
    public void Notify()
    {
        counters.Calls++;
        // Any error is the front-end's affair: a full counter means that it is signalled, a closed peer is noticed on the socket.
        if (_call.Fd is { } fd) EventFd.Signal(fd.Raw);
        else _call.Message?.Invoke();
    }

    public void OnEvents(FdEvents events) => Kick();

    /// <summary>A kick that came as a message.</summary>
    public void Kick()
    {
        counters.Kicks++;
        kicked();
    }

    public void Inspect(InspectWriter writer)
    {
        writer.Value("state", Ring is null ? "stopped" : Ring.Fault is { } fault ? "broken: " + fault : Enabled ? "running" : "disabled");
        if (Ring is null) return;
        writer.Value("size", Ring.Size);
        writer.Value("nextAvailable", Ring.NextAvailable);
        writer.Value("nextUsed", Ring.NextUsed);
        writer.Value("inFlight", Ring.InFlight);
    }

    private void StartPolling()
    {
        _poll = loop.CreateTimer(() =>
        {
            kicked();
            _poll?.Set(PollMilliseconds);
        });
        _poll.Set(PollMilliseconds);
    }
}
