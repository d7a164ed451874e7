using NicHost.Contracts.Diagnostics;
using NicHost.Loops;
using Samples.Switch.Tests.Rig;

namespace Samples.Switch.Tests;

/// <summary>Guests that take their time.</summary>
public sealed class QueueTests : IDisposable
{
    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Guest_without_buffers_gets_its_frames_later_in_order()
    {
        var (a, b) = (_bench.Plug(1), _bench.Plug(2));
        b.Device.Withheld = int.MaxValue;
        for (var i = 0; i < 100; i++) Assert.Equal(1, a.Send(Frames.Of(b.Address, a.Address, 60 + i, i)));
        Assert.Empty(b.Taken);
        b.Device.Withheld = 200;
        b.PostBuffers();
        _bench.Loop.RunUntilIdle();
        a.Send(Frames.Of(b.Address, a.Address, 160, 100));
        Assert.Equal(Enumerable.Range(0, 101).Select(i => Frames.Of(b.Address, a.Address, 60 + i, i)), b.Taken);
    }

    [Fact]
    public void Guest_without_buffers_loses_what_goes_beyond_its_limit_and_holds_up_nobody()
    {
        var (a, b, c) = (_bench.Plug(1), _bench.Plug(2, """ "maxQueuedFrames": 16 """), _bench.Plug(3));
        b.Device.Withheld = int.MaxValue;
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(1, a.Send(Frames.Of(b.Address, a.Address, 1000, i)));
            Assert.Equal(1, a.Send(Frames.Of(c.Address, a.Address, 1000, i)));
        }
        Assert.Equal(100, c.Taken.Count);
        b.PostBuffers();
        Assert.Equal(Enumerable.Range(0, 16).Select(i => Frames.Of(b.Address, a.Address, 1000, i)), b.Taken);
        Assert.Equal(84, b.Counters.RxDropped(DropReason.QueueFull));
    }

    [Fact]
    public void Guest_that_starts_anew_does_not_get_what_waited_for_the_one_before()
    {
        var (a, b) = (_bench.Plug(1), _bench.Plug(2));
        b.Device.Withheld = int.MaxValue;
        for (var i = 0; i < 10; i++) a.Send(Frames.Of(b.Address, a.Address, 60, i));
        b.Close();
        b.Device.Withheld = 0;
        b.Open();
        a.Send(Frames.Of(b.Address, a.Address, 60, 77));
        Assert.Equal([Frames.Of(b.Address, a.Address, 60, 77)], b.Taken);
    }

    [Fact]
    public void Device_that_throws_ends_its_own_NIC_and_not_the_senders()
    {
        var faults = new List<string>();
        var (mine, theirs) = (new NicLoop(_bench.Loop, _ => faults.Add("sender")), new NicLoop(_bench.Loop, e => faults.Add(e.Message)));
        _bench.Loop.RunOnce();
        using var a = new Nic(mine, _bench.Switch, 1);
        using var b = new Nic(theirs, _bench.Switch, 2);
        foreach (var nic in new[] { a, b })
        {
            nic.Start();
            nic.Open();
        }
        // The fake device throws when it is called after the test said that it is closed.
        b.Device.IsClosed = true;
        Assert.Equal(1, a.Send(Frames.Of(b.Address, a.Address)));
        _bench.Loop.RunUntilIdle();
        Assert.Equal(["The endpoint called a closed queue."], faults);
    }
}
