using Microsoft.Extensions.Time.Testing;
using NicHost.Contracts.Loops;
using NicHost.Linux;
using NicHost.Loops;

namespace NicHost.Host.Tests.Loops;

public sealed class EventLoopTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly EventLoop _loop;
    private readonly List<string> _seen = [];

    public EventLoopTests() => _loop = new EventLoop("test", _time);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void Turn_with_everything_pending_runs_events_posts_timers_deferrals()
    {
        using var fd = new EventFd();
        using var watch = _loop.Watch(fd.Raw, FdEvents.Readable | FdEvents.EdgeTriggered, new Handler(_ => { Note("event"); _loop.Defer(new Work(() => Note("deferred"))); }));
        using var timer = _loop.CreateTimer(() => Note("timer"));
        timer.Set(0);
        _loop.Post(() => Note("post"));
        fd.Signal();

        _loop.RunOnce();

        Assert.Equal(["event", "post", "timer", "deferred"], _seen);
    }

    [Fact]
    public void Posts_keep_their_order_and_what_they_post_runs_in_the_next_turn()
    {
        _loop.Post(() => { Note("a"); _loop.Post(() => Note("c")); });
        _loop.Post(() => Note("b"));

        Assert.Equal(2, _loop.RunOnce());
        Assert.Equal(["a", "b"], _seen);
        Assert.Equal(1, _loop.RunOnce());
        Assert.Equal(["a", "b", "c"], _seen);
        Assert.Equal(0, _loop.RunOnce());
    }

    [Fact]
    public void Timers_fire_in_order_of_time_then_of_setting()
    {
        var timers = new[] { ("late", 20), ("first", 5), ("second", 5), ("middle", 10) }.Select(t =>
        {
            var timer = _loop.CreateTimer(() => Note(t.Item1));
            timer.Set(t.Item2);
            return timer;
        }).ToArray();

        Advance(4);
        Assert.Empty(_seen);
        Advance(1);
        Assert.Equal(["first", "second"], _seen);
        Advance(15);
        Assert.Equal(["first", "second", "middle", "late"], _seen);
        Assert.All(timers, timer => Assert.False(timer.IsSet));
    }

    [Fact]
    public void Timer_moved_or_cancelled_fires_only_as_last_set()
    {
        var moved = _loop.CreateTimer(() => Note("moved"));
        var cancelled = _loop.CreateTimer(() => Note("cancelled"));
        var disposed = _loop.CreateTimer(() => Note("disposed"));
        moved.Set(5);
        cancelled.Set(5);
        disposed.Set(5);
        moved.Set(10);
        cancelled.Cancel();
        disposed.Dispose();
        disposed.Set(1);

        Advance(9);
        Assert.Empty(_seen);
        Advance(1);
        Assert.Equal(["moved"], _seen);
        Assert.Equal(0, _loop.TimerCount);
    }

    [Fact]
    public void Timer_set_to_zero_by_itself_waits_for_the_next_turn()
    {
        ILoopTimer? timer = null;
        var runs = 0;
        timer = _loop.CreateTimer(() => { runs++; timer!.Set(0); });
        timer.Set(0);

        _loop.RunOnce();
        Assert.Equal(1, runs);
        _loop.RunOnce();
        Assert.Equal(2, runs);
    }

    [Fact]
    public void Timers_by_the_thousand_fire_sorted()
    {
        const int seed = 7;
        var random = new Random(seed);
        var due = new List<long>();
        for (var i = 0; i < 5000; i++)
        {
            var at = random.Next(1, 2000);
            var timer = _loop.CreateTimer(() => due.Add(at));
            timer.Set(random.Next(1, 2000));
            if (random.Next(4) == 0) timer.Cancel();
            else timer.Set(at);
        }

        for (var i = 0; i < 2000; i++)
        {
            Advance(1);
            Assert.True(due.Count == 0 || due[^1] <= i + 1, $"seed {seed}: a timer fired early at {i + 1}");
        }
        Assert.Equal(due.Order(), due);
        Assert.Equal(0, _loop.TimerCount);
    }

    [Fact]
    public void Deferred_work_that_always_defers_leaves_room_for_events()
    {
        using var fd = new EventFd();
        using var watch = _loop.Watch(fd.Raw, FdEvents.Readable | FdEvents.EdgeTriggered, new Handler(_ => Note("event")));
        Work? again = null;
        var runs = 0;
        again = new Work(() => { runs++; _loop.Defer(again!); });
        _loop.Defer(again);
        _loop.RunOnce();
        fd.Signal();
        _loop.RunOnce();

        Assert.InRange(runs, 2, 100);
        Assert.Equal(["event"], _seen);
    }

    [Fact]
    public void Watch_disposed_by_an_earlier_handler_of_the_same_wakeup_hears_nothing()
    {
        using var one = new EventFd();
        using var two = new EventFd();
        IFdWatch? first = null, second = null;
        first = _loop.Watch(one.Raw, FdEvents.Readable, new Handler(_ => { Note("one"); second!.Dispose(); first!.Dispose(); }));
        second = _loop.Watch(two.Raw, FdEvents.Readable, new Handler(_ => { Note("two"); first!.Dispose(); second!.Dispose(); }));
        one.Signal();
        two.Signal();

        _loop.RunOnce();

        Assert.Single(_seen);
        Assert.Equal(0, _loop.WatchCount);
    }

    [Fact]
    public void Watch_made_in_the_slot_of_a_disposed_one_does_not_get_its_event()
    {
        using var one = new EventFd();
        using var two = new EventFd();
        using var fresh = new EventFd();
        var watches = new List<IFdWatch>();
        IFdWatch? first = null, second = null;
        void Replace(string who, IFdWatch other)
        {
            Note(who);
            other.Dispose();
            watches.Add(_loop.Watch(fresh.Raw, FdEvents.Readable, new Handler(_ => Note("fresh"))));
        }
        first = _loop.Watch(one.Raw, FdEvents.Readable | FdEvents.EdgeTriggered, new Handler(_ => Replace("first", second!)));
        second = _loop.Watch(two.Raw, FdEvents.Readable | FdEvents.EdgeTriggered, new Handler(_ => Replace("second", first!)));
        one.Signal();
        two.Signal();

        _loop.RunOnce();
        Assert.Single(_seen);
        fresh.Signal();
        _loop.RunOnce();
        Assert.Equal("fresh", _seen[^1]);
    }

    [Fact]
    public void Edge_triggered_eventfd_needs_no_read_and_tells_each_signal()
    {
        using var fd = new EventFd();
        using var watch = _loop.Watch(fd.Raw, FdEvents.Readable | FdEvents.EdgeTriggered, new Handler(_ => Note("edge")));
        fd.Signal();
        _loop.RunOnce();
        _loop.RunOnce();
        Assert.Single(_seen);
        fd.Signal();
        _loop.RunOnce();
        Assert.Equal(2, _seen.Count);
        watch.Events = FdEvents.Readable | FdEvents.EdgeTriggered;
        _loop.RunOnce();
        Assert.Equal(3, _seen.Count);
    }

    [Fact]
    public void Watch_of_a_regular_file_is_refused()
    {
        var path = Path.GetTempFileName();
        using (var file = File.OpenRead(path))
        {
            var fd = (int)file.SafeFileHandle.DangerousGetHandle();
            Assert.Throws<InvalidOperationException>(() => _loop.Watch(fd, FdEvents.Readable, new Handler(_ => { })));
            Assert.Equal(0, _loop.WatchCount);
        }
        File.Delete(path);
    }

    [Fact]
    public void Exception_without_an_owner_leaves_RunOnce_or_goes_to_the_fault_handler()
    {
        _loop.Post(() => throw new FormatException());
        Assert.Throws<FormatException>(() => _loop.RunOnce());
        Assert.Equal(0, _loop.RunOnce());

        var faults = new List<Exception>();
        using var guarded = new EventLoop("guarded", _time, faults.Add);
        guarded.Post(() => throw new FormatException());
        guarded.Post(() => Note("after"));
        guarded.RunOnce();
        Assert.IsType<FormatException>(Assert.Single(faults));
        Assert.Equal(["after"], _seen);
    }

    [Fact]
    public async Task Thread_runs_posts_from_elsewhere_and_ends_on_dispose()
    {
        var loop = new EventLoop("threaded");
        loop.Start();
        Assert.False(loop.IsCurrent);
        Assert.True(await loop.InvokeAsync(() => loop.IsCurrent).WaitAsync(TimeSpan.FromSeconds(10)));
        await Assert.ThrowsAsync<FormatException>(() => loop.InvokeAsync(() => throw new FormatException()).WaitAsync(TimeSpan.FromSeconds(10)));
        var fired = new TaskCompletionSource();
        loop.Post(() => loop.CreateTimer(fired.SetResult).Set(1));
        await fired.Task.WaitAsync(TimeSpan.FromSeconds(10));
        loop.Dispose();
        loop.Post(() => Note("too late"));
        Assert.Empty(_seen);
    }

    [Fact]
    public void Data_path_of_the_loop_allocates_nothing()
    {
        using var fd = new EventFd();
        var deferred = new Work(() => { });
        using var timer = _loop.CreateTimer(() => { });
        using var watch = _loop.Watch(fd.Raw, FdEvents.Readable | FdEvents.EdgeTriggered, new Handler(_ => { _loop.Defer(deferred); timer.Set(5); }));
        for (var i = 0; i < 100; i++) Turn();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) Turn();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Turn()
        {
            fd.Signal();
            _loop.RunOnce();
        }
    }

    private void Note(string what) => _seen.Add(what);

    private void Advance(int milliseconds)
    {
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        _loop.RunOnce();
    }
}

internal sealed class Handler(Action<FdEvents> onEvents) : IFdHandler
{
    public void OnEvents(FdEvents events) => onEvents(events);
}

internal sealed class Work(Action run) : ILoopWork
{
    public void Run() => run();
}
