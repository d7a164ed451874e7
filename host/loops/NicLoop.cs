using NicHost.Contracts.Loops;

namespace NicHost.Loops;

/// <summary>
/// A NIC's view of a shared loop. An exception in one of its handlers silences the NIC on this loop and is told once; posted work still
/// runs, so that the NIC can be disposed. <see cref="End"/> removes whatever is left.
/// </summary>
/// <param name="loop">The shared loop.</param>
/// <param name="onFault">Told of the first exception, on the loop's thread.</param>
public sealed class NicLoop(EventLoop loop, Action<Exception> onFault) : IEventLoop
{
    private volatile bool _faulted;
    private volatile bool _ended;

    /// <summary>The shared loop behind it.</summary>
    public EventLoop Shared { get; } = loop;

    /// <inheritdoc/>
    public bool IsCurrent => Shared.IsCurrent;

    /// <inheritdoc/>
    public long NowMilliseconds => Shared.NowMilliseconds;

    /// <inheritdoc/>
    public TimeProvider Time => Shared.Time;

    /// <summary>Whether a handler has thrown.</summary>
    public bool HasFaulted => _faulted;

    internal bool HasEnded => _ended;

    internal bool IsServing => !_faulted && !_ended;

    /// <inheritdoc/>
    public void Post(Action work)
    {
        if (!_ended) Shared.Post(work, this);
    }

    /// <inheritdoc/>
    public void Defer(ILoopWork work)
    {
        if (IsServing) Shared.Defer(work, this);
    }

    /// <inheritdoc/>
    public IFdWatch Watch(int fd, FdEvents events, IFdHandler handler) =>
        IsServing ? Shared.Watch(fd, events, handler, this) : throw new InvalidOperationException("This NIC is being stopped.");

    /// <inheritdoc/>
    public ILoopTimer CreateTimer(Action callback) => Shared.CreateTimer(callback, this);

    /// <summary>Stops the NIC's watches, timers and deferred work on this loop; posts go on. On the loop's thread.</summary>
    public void Silence()
    {
        _faulted = true;
        Shared.RemoveAll(this);
    }

    /// <summary>Removes everything, posts included. On the loop's thread.</summary>
    public void End()
    {
        _ended = true;
        Shared.RemoveAll(this);
    }

    internal void Fault(Exception e)
    {
        if (_faulted) return;
        Silence();
        onFault(e);
    }
}
