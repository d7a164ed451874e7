namespace NicHost.Contracts.Diagnostics;

/// <summary>
/// Counters of one queue. Written by the queue's loop only, read by anyone: a reader sees each value whole, the set perhaps a
/// moment apart. Directions are the guest's.
/// </summary>
public sealed class QueueCounters
{
    private static readonly int Reasons = Enum.GetValues<DropReason>().Length;
    private readonly long[] _txDrops = new long[Reasons];
    private readonly long[] _rxDrops = new long[Reasons];

    /// <summary>Frames and super-frames taken from the guest.</summary>
    public long TxFrames;

    /// <summary>Bytes of these, Ethernet headers included.</summary>
    public long TxBytes;

    /// <summary>Frames and super-frames given to the guest.</summary>
    public long RxFrames;

    /// <summary>Bytes of these, Ethernet headers included.</summary>
    public long RxBytes;

    /// <summary>Notifications received from the guest (kicks).</summary>
    public long Kicks;

    /// <summary>Notifications sent to the guest (calls, interrupts).</summary>
    public long Calls;

    /// <summary>Times that the endpoint took fewer frames than it was given.</summary>
    public long TxStalls;

    /// <summary>Times that the guest had no receive buffer when the endpoint wanted one.</summary>
    public long RxStalls;

    /// <summary>Counts a dropped frame from the guest.</summary>
    public void DropTx(DropReason reason) => _txDrops[(int)reason]++;

    /// <summary>Counts a dropped frame towards the guest.</summary>
    public void DropRx(DropReason reason) => _rxDrops[(int)reason]++;

    /// <summary>Frames from the guest dropped for <paramref name="reason"/>.</summary>
    public long TxDropped(DropReason reason) => Volatile.Read(ref _txDrops[(int)reason]);

    /// <summary>Frames towards the guest dropped for <paramref name="reason"/>.</summary>
    public long RxDropped(DropReason reason) => Volatile.Read(ref _rxDrops[(int)reason]);

    /// <summary>Writes all counters, and those drops that are not zero, to <paramref name="writer"/>.</summary>
    public void Inspect(InspectWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Value("txFrames", Volatile.Read(ref TxFrames));
        writer.Value("txBytes", Volatile.Read(ref TxBytes));
        writer.Value("rxFrames", Volatile.Read(ref RxFrames));
        writer.Value("rxBytes", Volatile.Read(ref RxBytes));
        writer.Value("kicks", Volatile.Read(ref Kicks));
        writer.Value("calls", Volatile.Read(ref Calls));
        writer.Value("txStalls", Volatile.Read(ref TxStalls));
        writer.Value("rxStalls", Volatile.Read(ref RxStalls));
        using (writer.Section("txDrops")) WriteDrops(writer, TxDropped);
        using (writer.Section("rxDrops")) WriteDrops(writer, RxDropped);
    }

    private static void WriteDrops(InspectWriter writer, Func<DropReason, long> read)
    {
        foreach (var reason in Enum.GetValues<DropReason>())
        {
            if (read(reason) is > 0 and var count) writer.Value(InspectWriter.CamelCase(reason.ToString()), count);
        }
    }
}
