using NicHost.Linux;
using NicHost.Probe.Frontend;

namespace NicHost.Probe.Netvsc;

/// <summary>An open channel of the guest: both rings and the eventfds of both directions.</summary>
public sealed unsafe class GuestChannel : IDisposable
{
    private readonly VmbusClient _bus;
    private readonly bool _inBand;

    /// <summary>Lays out the rings in guest memory.</summary>
    /// <param name="bus">The bus.</param>
    /// <param name="offer">What is opened.</param>
    /// <param name="ram">The guest's memory.</param>
    /// <param name="pagesEach">Pages of each ring, control page included.</param>
    /// <param name="inBand">Whether both directions signal by message.</param>
    public GuestChannel(VmbusClient bus, ChannelOffer offer, GuestRam ram, int pagesEach = 32, bool inBand = false)
    {
        ArgumentNullException.ThrowIfNull(ram);
        _bus = bus;
        _inBand = inBand;
        Offer = offer;
        PagesEach = pagesEach;
        Memory = ram.Allocate(2 * pagesEach * 4096, 4096);
        Out = new GuestRing(Memory, pagesEach);
        In = new GuestRing(Memory + (pagesEach * 4096), pagesEach);
        Frames = new ulong[2 * pagesEach];
        for (var i = 0; i < Frames.Length; i++) Frames[i] = ram.ToGuest(Memory + (i * 4096)) / 4096;
    }

    /// <summary>What was opened.</summary>
    public ChannelOffer Offer { get; }

    /// <summary>Pages of each ring.</summary>
    public int PagesEach { get; }

    /// <summary>Both rings.</summary>
    public byte* Memory { get; }

    /// <summary>Page frames of both rings.</summary>
    public ulong[] Frames { get; }

    /// <summary>Guest to host.</summary>
    public GuestRing Out { get; }

    /// <summary>Host to guest.</summary>
    public GuestRing In { get; }

    /// <summary>Signalled by us.</summary>
    public EventFd Kick { get; } = new();

    /// <summary>Signalled by the host.</summary>
    public EventFd Call { get; } = new();

    /// <summary>The rings' buffer.</summary>
    public uint Gpadl { get; private set; }

    /// <summary>Signals given.</summary>
    public long Kicks { get; private set; }

    /// <summary>The guest's monitor page (child to parent), where signals are bits of it; null where they are not.</summary>
    public MonitorPage? MonitorPage { get; set; }

    /// <summary>Describes the rings, hands the eventfds over and opens the channel.</summary>
    /// <exception cref="VmbusException">The host refuses.</exception>
    public void Open(uint vp = 0)
    {
        Describe();
        var status = _bus.OpenChannel(Offer.RelId, Gpadl, (uint)PagesEach, vp);
        if (status != 0) throw new VmbusException($"The host does not open channel {Offer.RelId}: 0x{status:x}.");
    }

    /// <summary>Everything before the opening.</summary>
    public void Describe()
    {
        Gpadl = _bus.CreateGpadl(Offer.RelId, Frames);
        if (_inBand) return;
        _bus.Socket.Send(WireKind.EventFd, Offer.ConnectionId, fd: Kick.Raw);
        _bus.Socket.Send(WireKind.GuestFd, Offer.RelId, fd: Call.Raw);
    }

    /// <summary>Closes the channel and takes the rings back.</summary>
    public void Close()
    {
        _bus.CloseChannel(Offer.RelId);
        _bus.TearDownGpadl(Offer.RelId, Gpadl);
    }

    /// <summary>Signals the host.</summary>
    public void Signal()
    {
        Kicks++;
        if (MonitorPage is { } page && Offer.MonitorId is { } id) page.Set(id);
        else if (_inBand) _bus.Socket.Send(WireKind.SignalEvent, Offer.ConnectionId);
        else Kick.Signal();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kick.Dispose();
        Call.Dispose();
    }
}
