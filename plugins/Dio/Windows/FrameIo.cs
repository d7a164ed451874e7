namespace NicHost.Dio.Windows;

/// <summary>
/// All reads and writes of one NIC, and the thread that waits for them. While it runs, the loop alone starts and collects operations, and the thread
/// only wakes it; from <see cref="EndAsync"/> on the thread alone does, and frees the memory once the kernel has let go of all of it.
/// </summary>
/// <remarks>
/// Starting an operation resets the event of its kind, so that what was done just before is told nobody. Hence the rule that whoever starts one looks
/// at its kind once more afterwards: reads are looked at until one runs, writes when there was no room.
/// </remarks>
#pragma warning disable CA1001 // its thread disposes what it owns, and only once the kernel has let go
internal sealed class FrameIo
#pragma warning restore CA1001
{
    private static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(5);
    private readonly AutoResetEvent _readDone = new(false);
    private readonly AutoResetEvent _writeDone = new(false);
    private readonly AutoResetEvent _control = new(false);
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly IVmNic _nic;
    private readonly LoopWake _wake;
    private readonly TimeSpan _patience;
    private readonly Operations _reads;
    private readonly Operations _writes;
    private volatile bool _watchesWrites;
    private volatile bool _ending;

    private FrameIo(IVmNic nic, LoopWake wake, TimeSpan patience)
    {
        (_nic, _wake, _patience) = (nic, wake, patience);
        _reads = new Operations(FrameReads.InFlight, FrameReads.BufferSize, _readDone);
        _writes = new Operations(FrameWrites.InFlight, FrameWrites.BufferSize, _writeDone);
        Reads = new FrameReads(nic, _reads);
        Writes = new FrameWrites(nic, _writes);
    }

    public FrameReads Reads { get; }

    public FrameWrites Writes { get; }

    /// <summary>Whether the loop is woken when a write is done. Set when none has room; look for room once more afterwards.</summary>
    public bool WatchesWrites
    {
        get => _watchesWrites;
        set
        {
            if (_watchesWrites == value) return;
            _watchesWrites = value;
            if (value) _control.Set();
        }
    }

    /// <summary>Starts the reads. On the loop.</summary>
    /// <param name="nic">The NIC; connected.</param>
    /// <param name="wake">Asked for when something is done.</param>
    /// <param name="patience">How long <see cref="EndAsync"/> waits for the kernel.</param>
    public static FrameIo Start(IVmNic nic, LoopWake wake, TimeSpan? patience = null)
    {
        var io = new FrameIo(nic, wake, patience ?? DefaultPatience);
        io.Reads.Start();
        new Thread(io.Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "dio" }.Start();
        // Reads that were done, or failed, at once.
        wake.Wake();
        return io;
    }

    /// <summary>Cancels what runs. On the loop, which leaves it alone from then on.</summary>
    /// <returns>
    /// Completes when nothing runs any more, with 0; or, when the kernel holds on for too long, with how many operations it holds: the
    /// memory of these stays until they end, however long that is.
    /// </returns>
    public Task<int> EndAsync()
    {
        if (_ending) return _ended.Task;
        _nic.Cancel();
        lock (_gate)
        {
            _ending = true;
            _control.Set();
        }
        return _ended.Task;
    }

    private void Run()
    {
        WaitHandle[] all = [_control, _readDone, _writeDone];
        WaitHandle[] withoutWrites = [_control, _readDone];
        while (!_ending)
        {
            WaitHandle.WaitAny(_watchesWrites ? all : withoutWrites);
            if (!_ending) _wake.Wake();
        }
        Drain(all);
        _reads.Dispose();
        _writes.Dispose();
        // Not while the loop still sets one of them.
        lock (_gate)
        {
            foreach (var handle in all) handle.Dispose();
        }
        _ended.TrySetResult(0);
    }

    private void Drain(WaitHandle[] all)
    {
        var begin = TimeProvider.System.GetTimestamp();
        while (true)
        {
            _reads.CollectDone();
            _writes.CollectDone();
            var held = _reads.Running + _writes.Running;
            if (held == 0) return;
            var left = _patience - TimeProvider.System.GetElapsedTime(begin);
            if (left <= TimeSpan.Zero) _ended.TrySetResult(held);
            WaitHandle.WaitAny(all, left <= TimeSpan.Zero ? Timeout.InfiniteTimeSpan : left + TimeSpan.FromMilliseconds(1));
        }
    }
}
