namespace NicHost.Linux;

/// <summary>A timerfd on the monotonic clock: for waits finer than epoll's milliseconds. Non-blocking, closed on exec.</summary>
public sealed unsafe class TimerFd : IDisposable
{
    private const int ClockMonotonic = 1;
    private const int AbsoluteTime = 1;
    private const int CloExec = 0x80000;
    private const int NonBlock = 0x800;
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly Fd _fd = new((int)SysResult.From(Libc.timerfd_create(ClockMonotonic, CloExec | NonBlock)).OrThrow("create a timer"));

    /// <summary>The descriptor, readable when the timer has fired.</summary>
    public int Raw => _fd.Raw;

    /// <summary>Fires once at a time of <see cref="ThisProcess.MonotonicNanoseconds"/>.</summary>
    /// <param name="deadline">Nanoseconds; one in the past fires at once.</param>
    public SysResult FireAt(long deadline) => Set(Math.Max(deadline, 1));

    /// <summary>Stops the timer.</summary>
    public SysResult Stop() => Set(0);

    /// <summary>Forgets that it fired.</summary>
    public SysResult Drain() => EventFd.Drain(_fd.Raw);

    /// <inheritdoc/>
    public void Dispose() => _fd.Dispose();

    private SysResult Set(long nanoseconds)
    {
        TimerSpec spec = default;
        spec.Value.Seconds = nanoseconds / NanosecondsPerSecond;
        spec.Value.Nanoseconds = nanoseconds % NanosecondsPerSecond;
        return SysResult.From(Libc.timerfd_settime(_fd.Raw, AbsoluteTime, &spec, null));
    }
}
