using NicHost.Contracts.Diagnostics;

namespace NicHost.Host.Diagnostics;

/// <summary>What is remembered of a NIC across its restarts, at one moment.</summary>
internal sealed record NicTally
{
    /// <summary>Who is attached; null for nobody.</summary>
    public required string? Attached { get; init; }

    public required long Attachments { get; init; }

    public required long GuestFaults { get; init; }

    public required string? LastGuestFault { get; init; }

    public required long HostTroubles { get; init; }

    public required string? LastHostTrouble { get; init; }

    /// <summary>By queue; they go on counting.</summary>
    public required IReadOnlyList<QueueCounters> Queues { get; init; }
}
