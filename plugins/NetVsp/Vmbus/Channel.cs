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
    /// <summary>Bytes of one interrupt source's event flags: a bit for each relid, of which there are 2048.</summary>
    public const int EventFlagsSize = 256;

    public Fd Fd { get; } = fd;

    // SAFETY: null, or EventFlagsSize bytes of guest memory at a multiple of that, translated by who makes this. The session takes no region away that
    // they lie in while a channel has this signal, and replaces the signal (and waits for the channel's loop) before it unmaps.
    private readonly uint* _eventFlags = eventFlags;

    /// <summary>Whether the flags lie in a run of this process's memory.</summary>
    public bool Touches(byte* start, ulong length) => _eventFlags != null && (ulong)((byte*)_eventFlags - start) < length;

    /// <summary>Sets the flag of a relid, where it is not the client who does, and signals.</summary>
    public void Raise(uint relId)
    {
        // SAFETY: relIds are below 8 * EventFlagsSize (BusSession.MaxRelId).
        if (_eventFlags != null) Interlocked.Or(ref _eventFlags[relId / 32], 1u << (int)(relId % 32));
        EventFd.Signal(Fd.Raw);
    }
}

/// <summary>One channel that was offered. Under the bus's lock, but for what its device uses on its own loop.</summary>
internal sealed class Channel(BusSession session, IChannelDevice device, uint relId, int index, byte? monitorId) : IBusChannel
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
        if (Volatile.Read(ref _signal) is { } signal) signal.Raise(RelId);
        else session.SetEvent(RelId);
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
