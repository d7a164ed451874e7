using Microsoft.Extensions.Time.Testing;
using NicHost.Contracts.Loops;
using NicHost.Linux;
using NicHost.Loops;

namespace NicHost.Host.Tests.Loops;

public sealed class NicLoopTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly EventLoop _loop;
    private readonly List<Exception> _faults = [];
    private readonly List<string> _seen = [];
    private readonly NicLoop _nic;
    private readonly NicLoop _other;

    public NicLoopTests()
    {
        _loop = new EventLoop("test", _time);
        _nic = new NicLoop(_loop, _faults.Add);
        _other = new NicLoop(_loop, _ => Assert.Fail("the neighbour is not at fault"));
    }

    public void Dispose() => _loop.Dispose();

    [Theory]
    [InlineData("event")]
    [InlineData("timer")]
    [InlineData("deferred")]
    [InlineData("post")]
    public void Exception_in_a_handler_silences_only_its_NIC(string where)
    {
        using var mine = new EventFd();
        using var theirs = new EventFd();
        _nic.Watch(mine.Raw, FdEvents.Readable, new Handler(_ => { if (where == "event") throw new FormatException(); }));
        _other.Watch(theirs.Raw, FdEvents.Readable | FdEvents.EdgeTriggered, new Handler(_ => _seen.Add("neighbour")));
        var timer = _nic.CreateTimer(() => { if (where == "timer") throw new FormatException(); });
        timer.Set(1);
        _nic.Defer(new Work(() => { if (where == "deferred") throw new FormatException(); }));
        _nic.Post(() => { if (where == "post") throw new FormatException(); });
        mine.Signal();
        theirs.Signal();
        _time.Advance(TimeSpan.FromMilliseconds(1));

        _loop.RunOnce();

        Assert.IsType<FormatException>(Assert.Single(_faults));
        Assert.Equal(["neighbour"], _seen);
        Assert.Equal(1, _loop.WatchCount);
        timer.Set(1);
        Assert.Equal(0, _loop.TimerCount);
    }

    [Fact]
    public void Faulted_NIC_still_runs_posts_so_that_it_can_be_disposed()
    {
        _nic.Post(() => throw new FormatException());
        _nic.Post(() => _seen.Add("dispose"));
        _nic.Post(() => throw new FormatException());
        _loop.RunOnce();

        Assert.Equal(["dispose"], _seen);
        Assert.Single(_faults);
    }

    [Fact]
    public void End_removes_watches_timers_deferrals_and_posts()
    {
        using var fd = new EventFd();
        var watch = _nic.Watch(fd.Raw, FdEvents.Readable, new Handler(_ => _seen.Add("event")));
        var timer = _nic.CreateTimer(() => _seen.Add("timer"));
        timer.Set(0);
        _nic.Defer(new Work(() => _seen.Add("deferred")));
        _nic.Post(() => _seen.Add("post"));
        fd.Signal();

        _nic.End();
        _nic.Post(() => _seen.Add("late post"));
        timer.Set(0);
        Assert.True(_loop.RunUntilIdle());

        Assert.Empty(_seen);
        Assert.Equal(0, _loop.WatchCount);
        watch.Dispose();
        watch.Events = FdEvents.Writable;
        Assert.Throws<InvalidOperationException>(() => _nic.Watch(fd.Raw, FdEvents.Readable, new Handler(_ => { })));
    }
}
