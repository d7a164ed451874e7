namespace Samples.Switch.Tests.Rig;

/// <summary>Keeps a loop's thread from its work, from the moment that this exists until <see cref="ReleaseAsync"/>.</summary>
internal sealed class BusyLoop : IDisposable
{
    private readonly ManualResetEventSlim _entered = new();
    private readonly ManualResetEventSlim _gate = new();
    private readonly Task _held;

    /// <param name="threads">The loops.</param>
    /// <param name="loop">Which.</param>
    /// <param name="after">Done there when it is released, before anything else.</param>
    public BusyLoop(Threads threads, int loop, Action? after = null)
    {
        _held = Task.Run(() => threads.On(loop, () =>
        {
            _entered.Set();
            _gate.Wait();
            after?.Invoke();
        }));
        _entered.Wait();
    }

    public Task ReleaseAsync()
    {
        _gate.Set();
        return _held;
    }

    // A test that failed meanwhile did not release it: the loop would never end.
    public void Dispose()
    {
        _gate.Set();
        _held.ContinueWith(static _ => { }, TaskScheduler.Default).Wait();
        _entered.Dispose();
        _gate.Dispose();
    }
}
