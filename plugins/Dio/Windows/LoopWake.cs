using NicHost.Contracts.Loops;

namespace NicHost.Dio.Windows;

/// <summary>
/// Runs one piece of work on a loop, however many threads ask however often before it runs: nothing is allocated, and the loop's own lock is taken
/// once for all that was asked meanwhile. It is all that this endpoint wants of a loop to hear of completions.
/// </summary>
internal sealed class LoopWake
{
    private readonly IEventLoop _loop;
    private readonly Action _run;
    private int _isPosted;

    public LoopWake(IEventLoop loop, Action work)
    {
        _loop = loop;
        _run = () =>
        {
            // Before the work: what comes while it runs is worth another turn.
            Interlocked.Exchange(ref _isPosted, 0);
            work();
        };
    }

    /// <summary>Any thread.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isPosted, 1) == 0) _loop.Post(_run);
    }
}
