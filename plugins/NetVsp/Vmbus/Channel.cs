using NicHost.Linux;
using NicHost.NetVsp.Memory;

namespace NicHost.NetVsp.Vmbus;

/// <summary>Where a channel is in its life.</summary>
internal enum ChannelState
{
    /// <summary>The guest may open it.</summary>
    Offered,

    /// <summary>The device is starting it.</summary>
    Opening,

    /// <summary>It runs.</summary>
    Open,

    /// <summary>The device is stopping it.</summary>
    Closing,

    /// <summary>Taken back; its relid is not free before the guest says so.</summary>
    Rescinded,
}

/// <summary>How the guest is interrupted for a channel.</summary>
internal sealed unsafe class GuestSignal(Fd fd, uint* eventFlags)
{
    public Fd Fd { get; } = fd;

    /// <summary>The event flags of the virtual processor's interrupt source in guest memory; null when the client sets them.</summary>
    public uint* EventFlags { get; } = eventFlags;
}

/// <summary>One channel that was offered. Under the bus's lock, but for what its device uses on its own loop.</summary>
internal sealed unsafe class Channel(BusSession session, IChannelDevice device, uint relId, int index, byte? monitorId) : IBusChannel
{
    private GuestSignal? _signal;

    public uint RelId { get; } = relId;

    /// <summary>What the guest names in HvSignalEvent; below 2^24, as KVM wants it.</summary>
    public uint ConnectionId => 0x1_0000 + RelId;

    public IChannelDevice Device { get; } = device;

    /// <summary>0 for the primary channel, else the subchannel's index.</summary>
    public int Index { get; } = index;

    public byte? MonitorId { get; } = monitorId;

    public ChannelState State { get; set; } = ChannelState.Offered;

    /// <summary>The buffer that holds both rings; 0 while closed.</summary>
    public uint RingHandle { get; private set; }

    public GpaPages Incoming { get; private set; } = null!;

    public GpaPages Outgoing { get; private set; } = null!;

    public Fd? Kick { get; private set; }

    public GuestRam Ram => session.Ram;

    public uint TargetVp { get; set; }

    public GuestSignal? GuestSignal => Volatile.Read(ref _signal);

    /// <summary>Sets where its rings are.</summary>
    /// <returns>Why they cannot be there, or null.</returns>
    public string? Place(uint handle, GpaPages? pages, uint downstream)
    {
        if (pages is null) return $"ring buffer 0x{handle:x} does not exist";
        // Each ring is a control page and at least one of data.
        if (downstream < 2 || pages.Count < 4 || downstream > (uint)pages.Count - 2)
            return $"the second ring starts at page {downstream} of {pages.Count}: each needs two";
        RingHandle = handle;
        Incoming = pages.Slice(0, (int)downstream);
        Outgoing = pages.Slice((int)downstream, pages.Count - (int)downstream);
        return null;
    }

    public void Unplace() => RingHandle = 0;

    /// <summary>Sets the guest's signal; the channel is closed.</summary>
    public void SetKick(Fd? fd)
    {
        Kick?.Dispose();
        Kick = fd;
    }

    /// <summary>Sets how the guest is interrupted.</summary>
    /// <returns>The descriptor before, to be disposed when the channel's loop no longer uses it.</returns>
    public Fd? SetSignal(GuestSignal? signal) => Interlocked.Exchange(ref _signal, signal)?.Fd;

    public void Interrupt()
    {
        var signal = Volatile.Read(ref _signal);
        if (signal is null)
        {
            session.SetEvent(RelId);
            return;
        }
        // SAFETY: 256 bytes were translated at EventFlags; a relid is below 2048. The session replaces the signal before it unmaps.
        if (signal.EventFlags != null) Interlocked.Or(ref signal.EventFlags[RelId / 32], 1u << (int)(RelId % 32));
        EventFd.Signal(signal.Fd.Raw);
    }

    public GpaPages? FindBuffer(uint handle) => session.FindBuffer(handle);

    public bool OfferSubchannels(int count) => session.OfferSubchannels(this, count);

    public void MemoryLost() => session.MemoryLost();

    /// <summary>Gives the descriptors back; its loop no longer uses them.</summary>
    public void DropDescriptors()
    {
        SetKick(null);
        SetSignal(null)?.Dispose();
    }
}
