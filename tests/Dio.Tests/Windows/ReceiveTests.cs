using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Dio.Tests.Rig;
using NicHost.Dio.Windows;
using NicHost.Testing;

namespace NicHost.Dio.Tests.Windows;

/// <summary>From vmswitch to the guest.</summary>
public sealed class ReceiveTests : IDisposable
{
    private readonly FakeVmSwitch _windows = new();
    private readonly Bench _bench;

    public ReceiveTests() => _bench = Bench.Started("""{"kind":"dio"}""", factory: _windows.Factory);

    private FakeVmNic Nic => _windows.Nic;

    [Fact]
    public void Chain_arrives_frame_by_frame_with_one_notification()
    {
        var (_, device) = _bench.Open();
        _bench.Loop.RunUntilIdle();
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 1), TestFrames.Plain(1514, 2), TestFrames.Plain(99, 3)));
        _bench.Until(() => device.Received.Count == 3, "three frames");
        Assert.Equal([TestFrames.Plain(60, 1), TestFrames.Plain(1514, 2), TestFrames.Plain(99, 3)], device.Received.Select(frame => frame.Bytes));
        Assert.Equal(1, device.Flushes);
        Assert.Equal(FrameReads.InFlight, Nic.RunningReads);
    }

    [Fact]
    public void Reads_that_end_out_of_order_are_taken_in_the_order_of_their_start()
    {
        var (_, device) = _bench.Open();
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 3)), index: 2);
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 2)), index: 1);
        _bench.Loop.RunUntilIdle();
        Assert.Empty(device.Received);
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 1)));
        _bench.Until(() => device.Received.Count == 3, "three frames");
        Assert.Equal([1, 2, 3], device.Received.Select(frame => frame.Bytes[14] - TestFrames.Plain(60, 0)[14]));
        Assert.Equal(FrameReads.InFlight, Nic.RunningReads);
    }

    [Fact]
    public void Read_that_ends_just_before_another_start_resets_its_event_is_not_forgotten()
    {
        var (_, device) = _bench.Open();
        _bench.Loop.RunUntilIdle();
        Nic.BeforeReset = () => Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 2)));
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 1)));
        _bench.Until(() => device.Received.Count == 2, "both frames");
    }

    [Fact]
    public void More_than_a_turn_takes_all_arrives()
    {
        var (_, device) = _bench.Open();
        for (var i = 0; i < FrameReads.InFlight; i++) Nic.EndRead(FakeVmNic.Chain([.. Enumerable.Range(0, 50).Select(n => TestFrames.Plain(60, (i * 50) + n))]));
        _bench.Until(() => device.Received.Count == 200, "all of them");
        for (var i = 0; i < 200; i++) Assert.Equal(TestFrames.Plain(60, i), device.Received[i].Bytes);
    }

    [Fact]
    public void Guest_without_buffers_is_waited_for_and_the_loop_sleeps_meanwhile()
    {
        var (queue, device) = _bench.Open();
        device.Withheld = int.MaxValue;
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 1), TestFrames.Plain(60, 2)));
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 3)));
        _bench.Until(() => _bench.Loop.RunUntilIdle(3), "an idle loop");
        Assert.Empty(device.Received);
        device.Withheld = 0;
        queue.ReceiveReady();
        Assert.Equal(3, device.Received.Count);
        Assert.Equal(FrameReads.InFlight, Nic.RunningReads);
    }

    [Theory]
    [InlineData(0u, 100u)]
    [InlineData(4u, 60u)]
    [InlineData(0xffff_fff0u, 60u)]
    [InlineData(5000u, 60u)]
    public void Link_that_lies_is_counted_and_what_comes_next_arrives(uint next, uint length)
    {
        var (_, device) = _bench.Open();
        Nic.EndRead(FakeVmNic.Link(TestFrames.Plain(60, 1), next, length));
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 2)));
        _bench.Until(() => device.Received.Count == 1, "the frame behind");
        Assert.Equal(TestFrames.Plain(60, 2), device.Take().Bytes);
        Assert.Equal(1, _bench.Counters.RxDropped(DropReason.Malformed));
        Assert.Equal(FrameReads.InFlight, Nic.RunningReads);
    }

    [Theory]
    [InlineData(0u, ulong.MaxValue)]
    [InlineData(0u, FrameReads.BufferSize + 1ul)]
    [InlineData(0u, 0ul)]
    [InlineData(0u, 7ul)]
    [InlineData(WindowsError.StatusBufferOverflow, 100ul)]
    public void Count_that_cannot_be_is_counted_and_what_comes_next_arrives(uint status, ulong claimed)
    {
        var (_, device) = _bench.Open();
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 1)), status, claimed: claimed);
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 2)));
        _bench.Until(() => device.Received.Count == 1, "the frame behind");
        Assert.Equal(TestFrames.Plain(60, 2), device.Take().Bytes);
        Assert.Equal(1, _bench.Counters.RxDropped(DropReason.Malformed));
        Assert.True(_bench.Endpoint.Link.IsUp);
    }

    [Fact]
    public void Frame_longer_than_the_guest_takes_is_counted_as_that()
    {
        var (_, device) = _bench.Open();
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(1515, 1), TestFrames.Plain(60, 2)));
        _bench.Until(() => device.Received.Count == 1, "the frame behind");
        Assert.Equal(1, _bench.Counters.RxDropped(DropReason.TooLong));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Tag_is_kept_in_line_or_given_out_of_line_as_the_guest_takes_it(bool outOfLine)
    {
        var (_, device) = _bench.Open(outOfLine ? OffloadSet.Vlan : OffloadSet.None);
        var tagged = Tagged(100, 0x2005);
        Nic.EndRead(FakeVmNic.Chain(tagged));
        _bench.Until(() => device.Received.Count == 1, "the frame");
        var frame = device.Take();
        if (outOfLine)
        {
            Assert.Equal(TestFrames.Plain(96, 1), frame.Bytes);
            Assert.True(frame.Offload.Flags.Has(FrameFlags.Vlan));
            Assert.Equal(0x2005, frame.Offload.VlanTci);
        }
        else Assert.Equal(tagged, frame.Bytes);
    }

    [Fact]
    public void Full_frame_with_a_tag_reaches_a_guest_that_takes_tags_out_of_line()
    {
        var (_, device) = _bench.Open(OffloadSet.Vlan);
        Nic.EndRead(FakeVmNic.Chain(Tagged(1518, 7)));
        _bench.Until(() => device.Received.Count == 1, "the frame");
        Assert.Equal(TestFrames.Plain(1514, 1), device.Take().Bytes);
    }

    [Fact]
    public void Frames_that_come_while_no_queue_is_open_are_not_given_to_a_later_one()
    {
        _bench.Open().Queue.Close();
        _bench.Loop.RunUntilIdle();
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 1), TestFrames.Plain(60, 2)));
        var (_, device) = _bench.Open();
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 3)));
        _bench.Until(() => device.Received.Count > 0, "a frame");
        Assert.Equal(TestFrames.Plain(60, 3), device.Take().Bytes);
        Assert.Equal(2L, _bench.Inspect().Children.Single(child => child.Name == "framesDiscarded").Value);
    }

    [Fact]
    public void Steady_receive_allocates_nothing()
    {
        var (_, device) = _bench.Open(OffloadSet.Vlan);
        device.Record = false;
        var chain = FakeVmNic.Chain(TestFrames.Plain(60, 1), Tagged(100, 5), TestFrames.Plain(1514, 3));
        for (var i = 0; i < 500; i++) Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 500; i++) Round();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(3000L, _bench.Inspect().Children.Single(child => child.Name == "framesRead").Value);
        Assert.Equal(1000L, _bench.Inspect().Children.Single(child => child.Name == "chainsRead").Value);

        void Round()
        {
            var until = device.Commits + 3;
            Nic.EndRead(chain);
            while (device.Commits < until) _bench.Loop.RunOnce(100);
        }
    }

    public void Dispose() => _bench.Dispose();

    /// <summary>A plain frame with a tag.</summary>
    private static byte[] Tagged(int length, ushort tci)
    {
        var plain = TestFrames.Plain(length - 4, 1);
        return [.. plain[..12], 0x81, 0x00, (byte)(tci >> 8), (byte)tci, .. plain[12..]];
    }
}
