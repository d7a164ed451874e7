using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;

namespace NicHost.Consomme.Core;

/// <summary>The way to the guest, as the protocols see it. Loop thread only.</summary>
internal interface IGuestPort
{
    /// <summary>Whether any queue is open: a guest is there to talk to.</summary>
    bool IsOpen { get; }

    /// <summary>What the guest accepted to receive on that queue.</summary>
    OffloadSet Accepted(int queue);

    /// <summary>The longest frame that may be committed on that queue.</summary>
    int MaxFrame(int queue);

    /// <summary>
    /// The device's side of a queue, for handlers which read sockets straight into guest buffers; null when neither that queue nor another
    /// is open. Whoever commits calls <see cref="Touch"/> instead of flushing: the port flushes once per wake-up.
    /// </summary>
    IDeviceQueue? Device(int queue);

    QueueCounters Counters(int queue);

    /// <summary>
    /// Copies one complete small frame (checksums done) to the guest. False when there is no buffer: counted as
    /// <see cref="DropReason.NoBuffer"/>, and the caller may wait with <see cref="WaitForRoom"/>.
    /// </summary>
    bool Send(int queue, ReadOnlySpan<byte> frame);

    /// <summary>The same with an offload record (for example verified or partial checksums), from header bytes and payload bytes.</summary>
    bool Send(int queue, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> payload, in FrameOffload offload);

    /// <summary>Marks that something was committed on that queue: the guest is notified at the end of this wake-up or batch.</summary>
    void Touch(int queue);

    /// <summary>Calls <see cref="IRoomWaiter.RoomAvailable"/> once, when the guest has posted buffers on that queue. First come, first served.</summary>
    void WaitForRoom(int queue, IRoomWaiter waiter);
}

/// <summary>Something that stopped for want of receive buffers.</summary>
internal interface IRoomWaiter
{
    /// <summary>Set by the port while the waiter is in line: it is not lined up twice. A waiter that goes for good clears it.</summary>
    bool IsWaiting { get; set; }

    void RoomAvailable();
}
