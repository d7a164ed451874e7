using NicHost.Contracts.Loops;
using NicHost.Linux;
using NicHost.NetVsp.Memory;

namespace NicHost.NetVsp.Vmbus;

/// <summary>
/// A device on the bus, as the bus sees it: the seam between channels and what runs on them. A VMM that owns its VMBus could stand in the bus's
/// place. The bus calls from any thread with its lock held: a device posts to its own loops and answers from there, always.
/// </summary>
internal interface IChannelDevice
{
    /// <summary>Its name, for messages to people.</summary>
    string Name { get; }

    /// <summary>Names the device on the bus, the same at every start.</summary>
    Guid Instance { get; }

    /// <summary>A loop that the bus may live on while the device is there.</summary>
    IEventLoop Loop { get; }

    /// <summary>The guest opened a channel: 0 is the primary one.</summary>
    /// <param name="index">Which.</param>
    /// <param name="channel">Its rings and signals.</param>
    /// <param name="opened">To be told whether it runs.</param>
    void Open(int index, IBusChannel channel, Action<bool> opened);

    /// <summary>The guest closed a channel, or everything ends: nothing of it is touched after <paramref name="closed"/>.</summary>
    void Close(int index, Action closed);

    /// <summary>The guest takes a buffer back: nothing of it is touched after <paramref name="dropped"/>.</summary>
    void DropBuffer(uint handle, Action dropped);

    /// <summary>Memory or a signal has been replaced: nothing of the old is touched after <paramref name="passed"/>.</summary>
    void Fence(bool memory, Action passed);

    /// <summary>The guest signals a channel by message.</summary>
    void Signal(int index);

    /// <summary>Records a mistake of the guest that concerns this device.</summary>
    void Report(string fault);
}

/// <summary>An open channel, as its device sees it.</summary>
internal interface IBusChannel
{
    /// <summary>The guest-to-host ring, control page first.</summary>
    GpaPages Incoming { get; }

    /// <summary>The host-to-guest ring, control page first.</summary>
    GpaPages Outgoing { get; }

    /// <summary>Signalled by the guest; null when it signals by message.</summary>
    Fd? Kick { get; }

    /// <summary>The guest's memory at this moment.</summary>
    GuestRam Ram { get; }

    /// <summary>The virtual processor that is interrupted.</summary>
    uint TargetVp { get; }

    /// <summary>Interrupts the guest for this channel. On the channel's loop.</summary>
    void Interrupt();

    /// <summary>A buffer that the guest has made for this device; null when there is none. Any thread.</summary>
    GpaPages? FindBuffer(uint handle);

    /// <summary>Offers the guest so many subchannels. Any thread.</summary>
    /// <returns>False when there are not enough relids left: none was offered.</returns>
    bool OfferSubchannels(int count);

    /// <summary>Guest memory was lost while it was used: the client is to be sent away. Any thread.</summary>
    void MemoryLost();
}
