using NicHost.Contracts.Loops;

namespace NicHost.Loops;

/// <summary>Timers of the loop.</summary>
public sealed partial class EventLoop
{
    private readonly TimerHeap _timers = new();
    private long _timerSequence;

    /// <summary>Timers set at present.</summary>
    public int TimerCount => _timers.Count;

    /// <inheritdoc/>
    public ILoopTimer CreateTimer(Action callback) => CreateTimer(callback, null);

    internal ILoopTimer CreateTimer(Action callback, NicLoop? owner)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return new LoopTimer(this, callback, owner);
    }

    private int RunTimers()
    {
        // A timer that a callback sets to "now" has a later number: it waits for the next turn, so that events are not starved.
        var limit = _timerSequence;
        var ran = 0;
        while (_timers.First is { } timer && timer.Due <= NowMilliseconds && timer.Sequence < limit)
        {
            _timers.Remove(timer);
            ran++;
            try { ((LoopTimer)timer).Callback(); }
#pragma warning disable CA1031 // whatever a plugin throws ends its NIC, not the loop
            catch (Exception e) { if (!Report(timer.Owner, e)) throw; }
#pragma warning restore CA1031
        }
        return ran;
    }

    private sealed class LoopTimer(EventLoop loop, Action callback, NicLoop? owner) : TimerHeap.Entry(owner), ILoopTimer
    {
        private bool _disposed;

        public Action Callback { get; } = callback;

        public bool IsSet => IsInHeap;

        public void Set(long milliseconds)
        {
            if (_disposed || Owner is { IsServing: false }) return;
            loop._timers.Remove(this);
            Due = milliseconds <= 0 ? loop.NowMilliseconds : milliseconds > long.MaxValue / 2 ? long.MaxValue : loop.NowMilliseconds + milliseconds;
            Sequence = loop._timerSequence++;
            loop._timers.Add(this);
        }

        public void Cancel() => loop._timers.Remove(this);

        public void Dispose()
        {
            _disposed = true;
            Cancel();
        }
    }
}
