namespace NicHost.Contracts.Loops;

/// <summary>Calls into a loop from control threads.</summary>
public static class EventLoopExtensions
{
    /// <summary>
    /// Runs <paramref name="work"/> on the loop and completes when it has run; an exception in it goes to the caller, not to the loop.
    /// On the loop's own thread it runs at once.
    /// </summary>
    public static Task InvokeAsync(this IEventLoop loop, Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        return loop.InvokeAsync(() => { work(); return true; });
    }

    /// <summary>As <see cref="InvokeAsync(IEventLoop, Action)"/>, with a result.</summary>
    public static Task<T> InvokeAsync<T>(this IEventLoop loop, Func<T> work)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(work);
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (loop.IsCurrent) Run();
        else loop.Post(Run);
        return done.Task;

        void Run()
        {
            try { done.SetResult(work()); }
#pragma warning disable CA1031 // the caller's await rethrows it
            catch (Exception e) { done.SetException(e); }
#pragma warning restore CA1031
        }
    }
}
