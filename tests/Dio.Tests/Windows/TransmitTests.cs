using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Dio.Tests.Rig;
using NicHost.Dio.Windows;
using NicHost.Testing;

namespace NicHost.Dio.Tests.Windows;

/// <summary>From the guest to vmswitch.</summary>
public sealed class TransmitTests : IDisposable
{
    private readonly FakeVmSwitch _windows = new();
    private readonly HandTime _time = new();
    private readonly Bench _bench;
    private readonly TxBuilder _batch = new();

    // Time stands still: what is told in time is told by events.
    public TransmitTests() => _bench = Bench.Started("""{"kind":"dio"}""", factory: _windows.Factory, time: _time);

    private FakeVmNic Nic => _windows.Nic;

    [Fact]
    public void Short_frame_is_filled_up_with_zeros_and_nothing_of_an_older_one()
    {
        var (queue, _) = _bench.Open();
        Assert.Equal(1, _batch.Add(TestFrames.Plain(1514, 1), segmentSize: 100).TransmitTo(queue));
        Assert.Equal(1, _batch.Add(TestFrames.Plain(42, 2)).TransmitTo(queue));
        Assert.Equal([TestFrames.Plain(1514, 1), [.. TestFrames.Plain(42, 2), .. new byte[18]]], Nic.Written);
    }

    [Fact]
    public void Tag_out_of_line_leaves_in_line()
    {
        var (queue, _) = _bench.Open();
        var plain = TestFrames.Plain(1514, 1);
        _batch.Add(plain, new FrameOffload { Flags = FrameFlags.Vlan, VlanTci = 0x6005 }).TransmitTo(queue);
        Assert.Equal([.. plain[..12], 0x81, 0x00, 0x60, 0x05, .. plain[12..]], Nic.Written.Single());
    }

    [Fact]
    public void Frame_longer_than_a_port_carries_is_counted_and_not_sent()
    {
        var (queue, _) = _bench.Open();
        var tagged = TestFrames.Plain(1518, 3);
        (tagged[12], tagged[13]) = (0x81, 0x00);
        var stacked = TestFrames.Plain(1519, 3);
        (stacked[12], stacked[13]) = (0x88, 0xa8);
        Assert.Equal(5, _batch.Add(TestFrames.Plain(1515, 1)).Add(TestFrames.Plain(9014, 2)).Add(TestFrames.Plain(65535, 2)).Add(stacked).Add(tagged).TransmitTo(queue));
        Assert.Equal(tagged, Nic.Written.Single());
        Assert.Equal(4, _bench.Counters.TxDropped(DropReason.TooLong));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Super_frame_leaves_as_whole_frames_with_right_checksums(bool v4)
    {
        var (queue, _) = _bench.Open();
        var (frame, offload) = TestFrames.TcpSuperFrame(v4, 20_000, 1400);
        Assert.Equal(1, _batch.Add(frame, offload, 4096).TransmitTo(queue));
        Assert.Equal(15, Nic.Written.Count);
        Assert.All(Nic.Written, wire => Assert.True(TestFrames.HasGoodTransportChecksum(wire)));
        var headers = v4 ? 54 : 74;
        Assert.Equal(frame[headers..], Nic.Written.SelectMany(wire => wire[headers..]).ToArray());
    }

    [Fact]
    public void Frames_beyond_the_writes_in_flight_stay_with_the_guest_until_any_of_them_ends()
    {
        var (queue, device) = _bench.Open();
        _bench.Loop.RunUntilIdle();
        Nic.HoldsWrites = true;
        for (var i = 0; i < 40; i++) _batch.Add(TestFrames.Plain(60, i));
        Assert.Equal(FrameWrites.InFlight, _batch.Offer(queue));
        Assert.Equal(FrameWrites.InFlight, Nic.RunningWrites);
        Assert.Equal(0, device.TransmitReadies);

        Nic.EndWrite(17);
        Nic.EndWrite(3);
        _bench.Until(() => device.TransmitReadies == 1, "a call that there is room");
        _batch.Clear();
        for (var i = 32; i < 40; i++) _batch.Add(TestFrames.Plain(60, i));
        Assert.Equal(2, _batch.TransmitTo(queue));
        while (Nic.RunningWrites > 0) Nic.EndWrite(Nic.RunningWrites - 1);
        _bench.Until(() => device.TransmitReadies == 2, "another");
        Assert.Equal(34, Nic.Written.Count);
        Assert.Equal(34, Nic.Written.Select(frame => frame[14]).Distinct().Count());
    }

    [Fact]
    public void Write_that_ends_just_before_the_last_start_resets_its_event_makes_room()
    {
        var (queue, _) = _bench.Open();
        Nic.HoldsWrites = true;
        for (var i = 0; i < FrameWrites.InFlight - 1; i++) _batch.Add(TestFrames.Plain(60, i));
        Assert.Equal(FrameWrites.InFlight - 1, _batch.TransmitTo(queue));
        Nic.BeforeReset = () => Nic.EndWrite(0);
        Assert.Equal(2, _batch.Add(TestFrames.Plain(60, 100)).Add(TestFrames.Plain(60, 101)).TransmitTo(queue));
    }

    [Fact]
    public void Super_frame_that_finds_no_room_goes_on_where_it_stopped()
    {
        var (queue, device) = _bench.Open();
        Nic.HoldsWrites = true;
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, 60_000, 1400);
        _batch.Add(frame, offload, 4096);
        var readies = 0;
        while (_batch.Offer(queue) == 0)
        {
            while (Nic.RunningWrites > 0) Nic.EndWrite(0);
            readies++;
            _bench.Until(() => device.TransmitReadies == readies, "room");
        }
        while (Nic.RunningWrites > 0) Nic.EndWrite(0);
        Assert.Equal(1, readies);
        Assert.Equal(frame[54..], Nic.Written.SelectMany(wire => wire[54..]).ToArray());
    }

    [Fact]
    public void Write_that_is_refused_at_once_is_counted_and_its_buffer_used_again()
    {
        var (queue, _) = _bench.Open();
        Nic.WriteError = 1450; // ERROR_NO_SYSTEM_RESOURCES
        for (var i = 0; i < 100; i++) _batch.Add(TestFrames.Plain(60, i));
        Assert.Equal(100, _batch.TransmitTo(queue));
        Assert.Equal(100, _bench.Counters.TxDropped(DropReason.HostError));
        Assert.Equal("Windows error 1450", _bench.Inspect().Children.Single(child => child.Name == "lastWriteFailure").Value);
        Nic.WriteError = 0;
        Assert.Equal(1, _batch.Add(TestFrames.Plain(60, 7)).TransmitTo(queue));
        Assert.Equal(TestFrames.Plain(60, 7), Nic.Written.Single());
    }

    [Fact]
    public void Write_that_fails_later_is_counted_though_nothing_else_happens()
    {
        var (queue, _) = _bench.Open();
        Nic.HoldsWrites = true;
        for (var i = 0; i < 3; i++) _batch.Add(TestFrames.Plain(60, i));
        _bench.Loop.RunUntilIdle();
        Assert.Equal(3, _batch.TransmitTo(queue));
        Nic.EndWrite(1, 0xc000009d);
        Nic.EndWrite(0);
        Nic.EndWrite(0, 0xc000009d);
        _bench.Loop.RunUntilIdle();
        _time.Advance(500);
        _bench.Loop.RunUntilIdle();
        Assert.Equal(2, _bench.Counters.TxDropped(DropReason.HostError));
        Assert.Equal(2L, _bench.Inspect().Children.Single(child => child.Name == "writesFailed").Value);
        Assert.True(_bench.Endpoint.Link.IsUp);
    }

    [Fact]
    public unsafe void Frame_whose_bytes_are_not_there_is_not_sent_with_those_of_an_older_one()
    {
        var (queue, _) = _bench.Open();
        _batch.Add(TestFrames.Plain(1000, 1)).TransmitTo(queue);
        var bytes = stackalloc byte[60];
        TxFrame[] frames = [new TxFrame { SegmentCount = 1, Length = 1000 }];
        Segment[] segments = [new Segment(bytes, 60)];
        Assert.Equal(1, queue.Transmit(new TxBatch(frames, segments)));
        Assert.Single(Nic.Written);
        Assert.Equal(1, _bench.Counters.TxDropped(DropReason.Malformed));
    }

    public void Dispose()
    {
        _bench.Dispose();
        _batch.Dispose();
    }
}
