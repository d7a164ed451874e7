using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.NetVsp.Vmbus;

/// <summary>
/// Looks at the guest's monitor page (child to parent) for a client that cannot trap writes to it: often while something comes, ever more
/// seldom while nothing does. Which channel a bit stands for is looked up by our own ids, never in the page. On the bus's loop.
/// </summary>
/// <param name="page">The page, translated.</param>
/// <param name="gate">The bus's lock: once stopped under it, the page is not touched any more.</param>
/// <param name="signalled">Told of each id, with the lock held.</param>
internal sealed unsafe class MonitorPoller(uint* page, Lock gate, Action<int> signalled) : IFdHandler, IDisposable
{
    private const int Groups = 4;

    // Each group is a word of pending bits and a word of armed ones, after eight bytes of state.
    private const int FirstGroup = 2;
    private const int GroupWords = 2;

    private const long ShortestNanoseconds = 20_000;
    private const long LongestNanoseconds = 1_000_000;

    private readonly TimerFd _timer = new();
    private IFdWatch? _watch;
    private long _pause = ShortestNanoseconds;
    private bool _stopped;

    /// <summary>Polls on this loop.</summary>
    public void Arm(IEventLoop loop)
    {
        if (_watch is not null) return;
        _watch = loop.Watch(_timer.Raw, FdEvents.Readable, this);
        Next();
    }

    /// <summary>Polls no more.</summary>
    public void Disarm()
    {
        _watch?.Dispose();
        _watch = null;
    }

    public void OnEvents(FdEvents events)
    {
        _timer.Drain();
        lock (gate)
        {
            if (_stopped) return;
            _pause = Look() ? ShortestNanoseconds : Math.Min(_pause * 2, LongestNanoseconds);
        }
        Next();
    }

    /// <summary>Touches the page no more. With the lock held, on any thread.</summary>
    public void Stop() => _stopped = true;

    public void Dispose()
    {
        Disarm();
        _timer.Dispose();
    }

    private bool Look()
    {
        var any = false;
        for (var group = 0; group < Groups; group++)
        {
            // SAFETY: a page of guest memory was translated; Stop comes before it is unmapped.
            ref var pending = ref page[FirstGroup + (group * GroupWords)];
            if (Volatile.Read(ref pending) == 0) continue;
            for (var bits = Interlocked.Exchange(ref pending, 0); bits != 0; bits &= bits - 1)
            {
                any = true;
                signalled((group * 32) + System.Numerics.BitOperations.TrailingZeroCount(bits));
            }
        }
        return any;
    }

    private void Next() => _timer.FireAt(ThisProcess.MonotonicNanoseconds + _pause);
}
