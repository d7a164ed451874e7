namespace NicHost.Contracts.Loops;

/// <summary>
/// One thread that waits for descriptors, timers and posted work, and runs their handlers one after the other. The host owns loops;
/// a queue belongs to one loop for life, which is why nothing on the data path needs a lock.
/// </summary>
/// <remarks>
/// The loop that a plugin gets is its NIC's view of a shared loop: when a handler throws, only that NIC is stopped, and when the NIC
/// ends, whatever it left registered is removed. All members but <see cref="Post"/>, <see cref="IsCurrent"/> and
/// <see cref="Time"/> are for the loop's own thread.
/// </remarks>
public interface IEventLoop
{
    /// <summary>Whether the caller runs on this loop's thread.</summary>
    bool IsCurrent { get; }

    /// <summary>Monotonic milliseconds, refreshed once per wake-up: cheap enough for every packet.</summary>
    long NowMilliseconds { get; }

    /// <summary>The clock behind <see cref="NowMilliseconds"/>; a fake one in tests.</summary>
    TimeProvider Time { get; }

    /// <summary>Runs <paramref name="work"/> on the loop's thread, after what was posted before. Any thread. Never blocks.</summary>
    void Post(Action work);

    /// <summary>
    /// Runs <paramref name="work"/> once, on this thread, after the events of the present wake-up and before the loop sleeps: the place
    /// to notify once for many frames. The caller keeps its own flag against deferring the same work twice.
    /// </summary>
    void Defer(ILoopWork work);

    /// <summary>Watches <paramref name="fd"/>; the caller still owns it and disposes the watch before it closes the descriptor.</summary>
    /// <exception cref="InvalidOperationException">The kernel refuses the descriptor, for example a regular file.</exception>
    IFdWatch Watch(int fd, FdEvents events, IFdHandler handler);

    /// <summary>Makes a timer that is not set yet.</summary>
    /// <param name="callback">Runs on the loop's thread each time the timer is due.</param>
    ILoopTimer CreateTimer(Action callback);
}

/// <summary>Receives a watched descriptor's events.</summary>
public interface IFdHandler
{
    /// <summary>Called on the loop's thread. May be called once more after a spurious wake-up: try the operation, expect EAGAIN.</summary>
    void OnEvents(FdEvents events);
}

/// <summary>Work for <see cref="IEventLoop.Defer"/>.</summary>
public interface ILoopWork
{
    /// <summary>Called on the loop's thread.</summary>
    void Run();
}

/// <summary>A registration of a descriptor. Loop thread only; disposing it twice is harmless; no event is told after disposal.</summary>
public interface IFdWatch : IDisposable
{
    /// <summary>What is watched for. Setting the same value again makes no system call, unless it is edge-triggered: then it re-arms.</summary>
    FdEvents Events { get; set; }
}

/// <summary>A timer of a loop. Loop thread only.</summary>
public interface ILoopTimer : IDisposable
{
    /// <summary>Whether the timer is set.</summary>
    bool IsSet { get; }

    /// <summary>Sets, or moves, the timer: due once, <paramref name="milliseconds"/> from now (0: at the next turn).</summary>
    void Set(long milliseconds);

    /// <summary>Unsets it.</summary>
    void Cancel();
}
