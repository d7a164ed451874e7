using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Loops;

/// <summary>
/// One thread on epoll. A turn is: wait, handlers of the events, posted work, due timers, deferred work. Either <see cref="Start"/> gives it
/// a thread of its own, or a test drives it by hand with <see cref="RunOnce"/>.
/// </summary>
public sealed partial class EventLoop : IEventLoop, IDisposable
{
    private const ulong WakeData = ulong.MaxValue;
    private const int EventsPerTurn = 64;

    // Deferred work that keeps deferring gives way to events after this many rounds.
    private const int DeferRounds = 4;

    private readonly Epoll _epoll = new();
    private readonly EventFd _wake = new();
    private readonly EpollEvent[] _events = new EpollEvent[EventsPerTurn];
    private readonly Lock _gate = new();
    private readonly Action<Exception>? _onFault;
    private readonly long _ticksPerMillisecond;
    private List<Work<Action>> _posted = [];
    private List<Work<Action>> _running = [];
    private List<Work<ILoopWork>> _deferred = [];
    private List<Work<ILoopWork>> _runningDeferred = [];
    private Thread? _thread;
    private int _threadId = Environment.CurrentManagedThreadId;
    private bool _signalled;
    private volatile bool _hasPosts;
    private volatile bool _stopping;
    private bool _disposed;
    private bool _closed;

    /// <summary>Makes a loop that does not run yet.</summary>
    /// <param name="name">Name of its thread.</param>
    /// <param name="time">Its clock; the system's when null.</param>
    /// <param name="onFault">
    /// Receives exceptions of handlers that belong to no <see cref="NicLoop"/>; when null they leave <see cref="RunOnce"/>.
    /// </param>
    public EventLoop(string name = "loop", TimeProvider? time = null, Action<Exception>? onFault = null)
    {
        Name = name;
        Time = time ?? TimeProvider.System;
        _onFault = onFault;
        _ticksPerMillisecond = Math.Max(1, Time.TimestampFrequency / 1000);
        RefreshNow();
        _epoll.Add(_wake.Raw, EpollEvents.In | EpollEvents.EdgeTriggered, WakeData).OrThrow("watch the loop's eventfd");
    }

    /// <summary>Name of the loop and its thread.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public TimeProvider Time { get; }

    /// <inheritdoc/>
    public long NowMilliseconds { get; private set; }

    /// <inheritdoc/>
    public bool IsCurrent => Environment.CurrentManagedThreadId == Volatile.Read(ref _threadId);

    /// <summary>Turns made so far. Any thread, perhaps a moment old.</summary>
    public long Turns { get; private set; }

    /// <summary>Descriptor events delivered so far. Any thread, perhaps a moment old.</summary>
    public long Events { get; private set; }

    /// <summary>Gives the loop its own thread.</summary>
    public void Start()
    {
        if (_thread is not null) throw new InvalidOperationException($"Loop {Name} runs already.");
        // Nobody is "current" until the thread has taken over.
        Volatile.Write(ref _threadId, 0);
        _thread = new Thread(Run) { IsBackground = true, Name = Name };
        _thread.Start();
    }

    /// <summary>Makes one turn on the calling thread, which becomes the loop's thread. For tests.</summary>
    /// <param name="timeoutMilliseconds">How long to wait when there is nothing to do; 0 only looks.</param>
    /// <returns>How many handlers, timers and pieces of work ran.</returns>
    public int RunOnce(int timeoutMilliseconds = 0)
    {
        if (_thread is not null) throw new InvalidOperationException($"Loop {Name} has its own thread.");
        Volatile.Write(ref _threadId, Environment.CurrentManagedThreadId);
        return Turn(timeoutMilliseconds);
    }

    /// <summary>Makes turns until one finds nothing to do. For tests.</summary>
    /// <param name="limit">Gives up after so many turns.</param>
    /// <returns>Whether the loop became idle.</returns>
    public bool RunUntilIdle(int limit = 10_000)
    {
        for (var i = 0; i < limit; i++)
        {
            if (RunOnce() == 0) return true;
        }
        return false;
    }

    /// <inheritdoc/>
    public void Post(Action work) => Post(work, null);

    /// <inheritdoc/>
    public void Defer(ILoopWork work) => Defer(work, null);

    /// <summary>Ends the thread after what was posted so far, then lets go of everything. Later posts are dropped.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _stopping = true;
        _wake.Signal();
        if (_thread is not null && !IsCurrent) _thread.Join();
        lock (_gate)
        {
            _closed = true;
            _posted.Clear();
            _epoll.Dispose();
            _wake.Dispose();
        }
    }

    internal void Post(Action work, NicLoop? owner)
    {
        ArgumentNullException.ThrowIfNull(work);
        lock (_gate)
        {
            if (_closed) return;
            _posted.Add(new Work<Action>(work, owner));
            _hasPosts = true;
            // Inside the lock: the descriptor must not be closed, and its number reused, under the write.
            if (_signalled || IsCurrent) return;
            _signalled = true;
            _wake.Signal();
        }
    }

    internal void Defer(ILoopWork work, NicLoop? owner) => _deferred.Add(new Work<ILoopWork>(work, owner));

    /// <summary>Removes what <paramref name="owner"/> has registered; posted work stays.</summary>
    internal void RemoveAll(NicLoop owner)
    {
        RemoveWatches(owner);
        _timers.RemoveAll(owner);
        _deferred.RemoveAll(work => work.Owner == owner);
    }

    private void Run()
    {
        Volatile.Write(ref _threadId, Environment.CurrentManagedThreadId);
        ThisProcess.SetThreadName(Name);
        while (!_stopping) Turn(-1);
        while (RunPosted() > 0) { }
    }

    private int Turn(int maxWait)
    {
        var wait = HasPending ? 0 : WaitFor(maxWait);
        var count = Math.Max(0, _epoll.Wait(_events, wait).Count);
        RefreshNow();
        Turns++;
        var ran = Dispatch(count);
        ran += RunPosted();
        ran += RunTimers();
        for (var round = 0; round < DeferRounds && _deferred.Count > 0; round++) ran += RunDeferred();
        return ran;
    }

    private bool HasPending => _deferred.Count > 0 || _hasPosts;

    private int WaitFor(int maxWait)
    {
        if (_timers.Next is not { } next) return maxWait;
        RefreshNow();
        var untilDue = (int)Math.Clamp(next - NowMilliseconds, 0, int.MaxValue);
        return maxWait < 0 ? untilDue : Math.Min(maxWait, untilDue);
    }

    private int RunPosted()
    {
        if (!_hasPosts) return 0;
        lock (_gate)
        {
            (_posted, _running) = (_running, _posted);
            _hasPosts = false;
            _signalled = false;
        }
        var count = _running.Count;
        try
        {
            foreach (var work in _running)
            {
                if (work.Owner is { HasEnded: true }) continue;
                try { work.Item(); }
#pragma warning disable CA1031 // whatever a plugin throws ends its NIC, not the loop
                catch (Exception e) { if (!Report(work.Owner, e)) throw; }
#pragma warning restore CA1031
            }
        }
        finally { _running.Clear(); }
        return count;
    }

    private int RunDeferred()
    {
        (_deferred, _runningDeferred) = (_runningDeferred, _deferred);
        var count = _runningDeferred.Count;
        try
        {
            foreach (var work in _runningDeferred)
            {
                if (work.Owner is { IsServing: false }) continue;
                try { work.Item.Run(); }
#pragma warning disable CA1031
                catch (Exception e) { if (!Report(work.Owner, e)) throw; }
#pragma warning restore CA1031
            }
        }
        finally { _runningDeferred.Clear(); }
        return count;
    }

    private bool Report(NicLoop? owner, Exception e)
    {
        if (owner is not null)
        {
            owner.Fault(e);
            return true;
        }
        _onFault?.Invoke(e);
        return _onFault is not null;
    }

    private void RefreshNow() => NowMilliseconds = Time.GetTimestamp() / _ticksPerMillisecond;

    private readonly record struct Work<T>(T Item, NicLoop? Owner);
}
