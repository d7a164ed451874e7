using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;

namespace NicHost.Contracts.Endpoints;

/// <summary>What an endpoint's queue is opened with.</summary>
public sealed record EndpointQueueConfig
{
    /// <summary>Index of the queue, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The loop that the queue belongs to.</summary>
    public required IEventLoop Loop { get; init; }

    /// <summary>The device's side: the guest's receive buffers.</summary>
    public required IDeviceQueue Device { get; init; }

    /// <summary>What the guest accepted to receive.</summary>
    public required OffloadSet AcceptedRx { get; init; }

    /// <summary>
    /// The longest frame in bytes that may be committed: a full super-frame where one was accepted, else MTU + Ethernet header, and 4 bytes more
    /// for a frame with a VLAN tag in line.
    /// </summary>
    public required int MaxRxFrame { get; init; }

    /// <summary>Counters of the queue.</summary>
    public required QueueCounters Counters { get; init; }
}
