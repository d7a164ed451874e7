using NicHost.Contracts.Frames;

namespace NicHost.Contracts.Endpoints;

/// <summary>How an endpoint's queues may be spread over loops.</summary>
public enum QueueThreading
{
    /// <summary>Each queue may run on a loop of its own.</summary>
    LoopPerQueue,

    /// <summary>All queues of a NIC run on one loop, because they share state (a NAT's flows).</summary>
    SharedLoop,
}

/// <summary>What an endpoint can do. Constant while it lives.</summary>
public sealed record EndpointCapabilities
{
    /// <summary>What it takes from the guest without help.</summary>
    public OffloadSet TxAccepts { get; init; }

    /// <summary>What it gives to a guest that accepts it.</summary>
    public OffloadSet RxGives { get; init; }

    /// <summary>The most queues, at least 1.</summary>
    public int MaxQueues { get; init; } = 1;

    /// <summary>How these spread over loops.</summary>
    public QueueThreading Threading { get; init; }

    /// <summary>The largest MTU in bytes that it carries.</summary>
    public int MaxMtu { get; init; } = FrameLimits.MaxMtu;
}
