using NicHost.Contracts.Frames;
using NicHost.Linux;
using NicHost.Virtio.Virtqueue;

namespace NicHost.Virtio.Net;

/// <summary>How one ring shall run. Made on the control side, applied on the queue's loop; the descriptors stay the control side's.</summary>
internal sealed record RingPlan
{
    /// <summary>Where the ring is.</summary>
    public required SplitRingAddresses At { get; init; }

    /// <summary>The available index to start from; counts only when <see cref="BaseEpoch"/> is new, else the ring goes on where it stopped.</summary>
    public required ushort Base { get; init; }

    /// <summary>Changes with each SET_VRING_BASE.</summary>
    public required int BaseEpoch { get; init; }

    /// <summary>Changes with each start of the ring, so that a ring which was stopped for a fault comes back.</summary>
    public required int StartEpoch { get; init; }

    /// <summary>Whether frames pass. A ring that is started but disabled takes no frames for the guest and throws the guest's away.</summary>
    public required bool Enabled { get; init; }

    /// <summary>Where kicks come from, or null.</summary>
    public Fd? Kick { get; init; }

    /// <summary>Whether the ring is looked at by timer, because the front-end gave no descriptor for kicks.</summary>
    public bool Poll { get; init; }

    /// <summary>Whether <paramref name="other"/> runs the ring in the same way.</summary>
    public bool SameRun(RingPlan other) =>
        At == other.At && BaseEpoch == other.BaseEpoch && StartEpoch == other.StartEpoch && Enabled == other.Enabled
        && ReferenceEquals(Kick, other.Kick) && Poll == other.Poll;
}

/// <summary>How a queue pair shall run: everything that its loop must know.</summary>
internal sealed record PairPlan
{
    public static PairPlan Idle { get; } = new() { Accepted = 0, Received = 0, Ram = GuestRam.Empty };

    /// <summary>What the guest accepted.</summary>
    public required NetFeatures Accepted { get; init; }

    /// <summary>What it is ready to receive at present.</summary>
    public required OffloadSet Received { get; init; }

    /// <summary>Its memory.</summary>
    public required GuestRam Ram { get; init; }

    /// <summary>Ring 2n, towards the guest; null when it is stopped.</summary>
    public RingPlan? Rx { get; init; }

    /// <summary>Ring 2n + 1, from the guest.</summary>
    public RingPlan? Tx { get; init; }

    /// <summary>Where the guest is notified.</summary>
    public RingCall RxCall { get; init; }

    /// <summary>Where the guest is notified.</summary>
    public RingCall TxCall { get; init; }
}

/// <summary>Where a ring's notifications go: a descriptor, or a message, or nowhere (then the guest polls).</summary>
internal readonly record struct RingCall(Fd? Fd, Action? Message);

/// <summary>What came of a plan.</summary>
/// <param name="RxBase">Where the rx ring goes on.</param>
/// <param name="TxBase">Where the tx ring goes on.</param>
/// <param name="Fault">Why an enabled ring could not start, or null.</param>
internal readonly record struct PairResult(ushort RxBase, ushort TxBase, string? Fault);
