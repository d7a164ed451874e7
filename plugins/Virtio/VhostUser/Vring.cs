using NicHost.Linux;
using NicHost.Virtio.Net;
using NicHost.Virtio.Virtqueue;

namespace NicHost.Virtio.VhostUser;

/// <summary>What the front-end has said about one ring. First loop only.</summary>
internal sealed class Vring(int index, int epoch)
{
    public int Index { get; } = index;
    public int Size { get; set; }
    public ulong Descriptors { get; private set; }
    public ulong Available { get; private set; }
    public ulong Used { get; private set; }
    public bool HasAddresses { get; private set; }

    /// <summary>Where the ring shall start; valid for <see cref="BaseEpoch"/>.</summary>
    public ushort Base { get; private set; }

    public int BaseEpoch { get; private set; } = epoch;
    public int StartEpoch { get; private set; }

    /// <summary>Where the ring stood when it was last heard of; null when it has not run since its base was set.</summary>
    public ushort? Position { get; set; }

    /// <summary>Whether it was started; it stops by GET_VRING_BASE and by resets.</summary>
    public bool Started { get; private set; }

    /// <summary>What SET_VRING_ENABLE said; null when it said nothing.</summary>
    public bool? Enable { get; set; }

    public Fd? Kick { get; private set; }
    public Fd? Call { get; private set; }
    public Fd? Error { get; private set; }
    public bool Poll { get; private set; }

    public void SetAddresses(ulong descriptors, ulong available, ulong used)
    {
        (Descriptors, Available, Used, HasAddresses) = (descriptors, available, used, true);
    }

    public void SetBase(ushort value, int epoch)
    {
        (Base, BaseEpoch, Position) = (value, epoch, null);
    }

    /// <summary>Starts the ring, with its source of kicks.</summary>
    public void Start(Fd? kick, bool poll, int epoch, List<IDisposable> dropped)
    {
        Replace(Kick, dropped);
        (Kick, Poll, Started, StartEpoch) = (kick, poll, true, epoch);
    }

    public void Stop(List<IDisposable> dropped)
    {
        Replace(Kick, dropped);
        (Kick, Poll, Started) = (null, false, false);
    }

    /// <summary>The second descriptor replaces the first, which is closed once no queue uses it.</summary>
    public void SetCall(Fd? fd, List<IDisposable> dropped)
    {
        Replace(Call, dropped);
        Call = fd;
    }

    public void SetError(Fd? fd, List<IDisposable> dropped)
    {
        Replace(Error, dropped);
        Error = fd;
    }

    public void DropAll(List<IDisposable> dropped)
    {
        Stop(dropped);
        SetCall(null, dropped);
        SetError(null, dropped);
    }

    /// <summary>How the ring shall run; null while it is stopped or something is still to come.</summary>
    public RingPlan? Plan(NetFeatures accepted)
    {
        if (!Started || !HasAddresses || Size == 0) return null;
        return new RingPlan
        {
            At = new SplitRingAddresses(Size, Descriptors, Available, Used),
            Base = Base,
            BaseEpoch = BaseEpoch,
            StartEpoch = StartEpoch,
            // Without bit 30 rings are enabled by themselves; an explicit word counts in any case (virtio-user gives one without bit 30).
            Enabled = Enable ?? !accepted.HasFlag(NetFeatures.ProtocolFeatures),
            Kick = Kick,
            Poll = Poll,
        };
    }

    private static void Replace(Fd? old, List<IDisposable> dropped)
    {
        if (old is not null) dropped.Add(old);
    }
}
