using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Testing;
using Samples.Switch.Tests.Rig;

namespace Samples.Switch.Tests;

/// <summary>NICs on different event loops: two threads and a ring between them.</summary>
public sealed class CrossLoopTests
{
    [Fact]
    public void Frames_from_another_loop_arrive_whole_and_in_order()
    {
        using var threads = new Threads(2);
        var (a, b) = (threads.Plug(0, 1), threads.Plug(1, 2));
        var sent = 0;
        while (sent < 5000)
        {
            sent += threads.On(0, () =>
            {
                var taken = 0;
                for (var i = 0; i < 64 && a.Send(Frames.Of(b.Address, a.Address, Length(sent + i), sent + i), segmentSize: 200) == 1; i++) taken++;
                return taken;
            });
        }
        threads.Until(1, () => b.Device.Received.Count == sent);
        for (var i = 0; i < sent; i++) Assert.Equal(Frames.Of(b.Address, a.Address, Length(i), i), b.Device.Received[i].Bytes);

        static int Length(int number) => 60 + (number * 37 % 1450);
    }

    [Fact]
    public async Task SuperFrames_of_two_directions_at_once_arrive_whole()
    {
        const OffloadSet All = OffloadSet.Checksum | OffloadSet.AllGso;
        const int Count = 300;
        using var threads = new Threads(2);
        var frames = new byte[2][];
        FrameOffload offload = default;
        for (byte i = 0; i < 2; i++)
        {
            (frames[i], offload) = TestFrames.TcpSuperFrame(v4: true, 60_000, 1400);
            Frames.Address((byte)(2 - i)).CopyTo(frames[i]);
            Frames.Address((byte)(1 + i)).CopyTo(frames[i].AsSpan(6));
        }
        var pumps = Enumerable.Range(0, 2).Select(i => threads.PlugPump(i, (byte)(1 + i), Count, nic => nic.Send(frames[i], offload, 4096), All)).ToArray();
        await Threads.PumpAllAsync(pumps);
        for (var i = 0; i < 2; i++)
        {
            var (nic, frame) = (pumps[i].Nic, frames[1 - i]);
            threads.Until(i, () => nic.Device.Received.Count == Count);
            Assert.All(nic.Device.Received, came => Assert.True(came.Bytes.AsSpan().SequenceEqual(frame) && came.Offload.Gso == GsoKind.TcpV4));
        }
    }

    [Fact]
    public async Task Sender_waits_while_the_other_loop_is_busy_and_loses_nothing()
    {
        using var threads = new Threads(2);
        var (a, b) = (threads.Plug(0, 1), threads.Plug(1, 2, """ "maxQueuedFrames": 16 """));
        using var busy = new BusyLoop(threads, 1);
        var sent = threads.On(0, () =>
        {
            var taken = 0;
            while (a.Send(Frames.Of(b.Address, a.Address, 60, taken)) == 1) taken++;
            return taken;
        });
        Assert.Equal(16, sent);
        Assert.Equal(0, a.Device.TransmitReadies);
        await busy.ReleaseAsync();
        threads.Until(0, () => a.Device.TransmitReadies == 1);
        threads.Until(1, () => b.Device.Received.Count == 16);
        Assert.Equal(1, threads.On(0, () => a.Send(Frames.Of(b.Address, a.Address, 60, 16))));
        threads.Until(1, () => b.Device.Received.Count == 17);
        Assert.Equal(0, b.Counters.RxDropped(DropReason.QueueFull));
    }

    [Fact]
    public void Sender_does_not_wait_for_a_guest_without_buffers()
    {
        using var threads = new Threads(2);
        var (a, b) = (threads.Plug(0, 1), threads.Plug(1, 2, """ "maxQueuedFrames": 16 """));
        b.Device.Withheld = int.MaxValue;
        // The first one shows that it has none.
        threads.On(0, () => a.Send(Frames.Of(b.Address, a.Address)));
        threads.Until(1, () => b.Inspect().Children.Any(node => node is { Name: "guestHasBuffers", Value: false }));
        threads.On(0, () =>
        {
            for (var i = 0; i < 100; i++) Assert.Equal(1, a.Send(Frames.Of(b.Address, a.Address)));
        });
        threads.On(1, b.PostBuffers);
        threads.Until(1, () => b.Device.Received.Count == 16);
        threads.Until(1, () => b.Counters.RxDropped(DropReason.QueueFull) == 85);
    }

    [Fact]
    public async Task Sender_that_waits_is_told_when_the_guest_turns_out_to_have_no_buffers()
    {
        using var threads = new Threads(2);
        var (a, b) = (threads.Plug(0, 1), threads.Plug(1, 2, """ "maxQueuedFrames": 16 """));
        b.Device.Withheld = int.MaxValue;
        using var busy = new BusyLoop(threads, 1);
        threads.On(0, () => { while (a.Send(Frames.Of(b.Address, a.Address)) == 1) { } });
        await busy.ReleaseAsync();
        threads.Until(0, () => a.Device.TransmitReadies == 1);
        Assert.Equal(1, threads.On(0, () => a.Send(Frames.Of(b.Address, a.Address))));
    }

    [Fact]
    public async Task Sender_that_waits_is_told_when_the_other_guest_goes()
    {
        using var threads = new Threads(2);
        var (a, b) = (threads.Plug(0, 1), threads.Plug(1, 2, """ "maxQueuedFrames": 16 """));
        using var busy = new BusyLoop(threads, 1, after: b.Close);
        threads.On(0, () => { while (a.Send(Frames.Of(b.Address, a.Address)) == 1) { } });
        await busy.ReleaseAsync();
        threads.Until(0, () => a.Device.TransmitReadies == 1);
        Assert.Equal(1, threads.On(0, () => a.Send(Frames.Of(b.Address, a.Address))));
        Assert.Equal(1, a.Counters.TxDropped(DropReason.LinkDown));
    }

    [Fact]
    public async Task Many_senders_on_three_loops_are_all_told_and_lose_nothing_that_is_not_counted()
    {
        using var threads = new Threads(3);
        var target = threads.Plug(0, 1, """ "maxQueuedFrames": 64 """);
        target.Device.Record = false;
        var pumps = Enumerable.Range(0, 6).Select(i =>
        {
            var frame = Frames.Of(target.Address, Frames.Address((byte)(10 + i)), 700);
            return threads.PlugPump(i % 3, (byte)(10 + i), 5000, nic => nic.Send(frame));
        }).ToArray();
        await Threads.PumpAllAsync(pumps);
        Assert.Contains(pumps, pump => pump.Waits > 0);
        threads.Until(0, () => target.Device.Commits + target.Counters.RxDropped(DropReason.QueueFull) == 30_000);
    }
}
