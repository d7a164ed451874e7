using NicHost.Contracts.Loops;

namespace NicHost.DioOnWindows;

/// <summary>A loop of posted work and timers alone: all that the Windows half of the endpoint wants of one. The host's own loop waits on Linux's epoll.</summary>
internal sealed class PostLoop : IEventLoop, IDisposable
{
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly List<LoopTimer> _timers = [];
    private readonly Thread _thread;
    private List<Action> _posted = [];
    private List<Action> _running = [];
    private volatile bool _ended;

    public PostLoop()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "loop" };
        _thread.Start();
    }

    public bool IsCurrent => Thread.CurrentThread == _thread;

    public long NowMilliseconds => Environment.TickCount64;

    public TimeProvider Time => TimeProvider.System;

    public void Post(Action work)
    {
        lock (_gate) _posted.Add(work);
        _wake.Set();
    }

    public void Defer(ILoopWork work) => Post(work.Run);

    public IFdWatch Watch(int fd, FdEvents events, IFdHandler handler) => throw new PlatformNotSupportedException("There are no descriptors on Windows.");

    public ILoopTimer CreateTimer(Action callback) => new LoopTimer(this, callback);

    public void Dispose()
    {
        _ended = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
    }

    private void Run()
    {
        while (!_ended)
        {
            var due = _timers.Count == 0 ? Timeout.Infinite : (int)Math.Max(0, _timers.Min(timer => timer.Due) - NowMilliseconds);
            _wake.WaitOne(due);
            lock (_gate) (_posted, _running) = (_running, _posted);
            foreach (var work in _running) work();
            _running.Clear();
            foreach (var timer in _timers.Where(timer => timer.Due <= NowMilliseconds).ToList()) timer.Fire();
        }
    }

    private sealed class LoopTimer(PostLoop loop, Action callback) : ILoopTimer
    {
        public long Due { get; private set; }

        public bool IsSet => loop._timers.Contains(this);

        public void Set(long milliseconds)
        {
            Cancel();
            Due = loop.NowMilliseconds + milliseconds;
            loop._timers.Add(this);
        }

        public void Cancel() => loop._timers.Remove(this);

        public void Fire()
        {
            Cancel();
            callback();
        }

        public void Dispose() => Cancel();
    }
}
