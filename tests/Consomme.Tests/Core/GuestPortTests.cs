using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Loops;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Core;

public sealed class GuestPortTests : IDisposable
{
    private readonly EventLoop _loop = new("port");
    private readonly GuestPort _port;
    private readonly List<FakeDeviceQueue> _devices = [];
    private readonly List<int> _woken = [];

    public GuestPortTests()
    {
        _loop.RunOnce();
        _port = new GuestPort(_loop);
    }

    [Fact]
    public void Frames_of_one_turn_are_told_to_the_guest_once()
    {
        var device = Open(0);
        for (var i = 0; i < 5; i++) Assert.True(_port.Send(0, TestFrames.Plain(60, i)));
        Assert.Equal(0, device.Flushes);
        _loop.RunUntilIdle();
        Assert.Equal((5, 1), (device.Received.Count, device.Flushes));
    }

    [Fact]
    public void Waiters_get_their_turn_in_order_and_keep_their_place()
    {
        Open(0);
        var again = new Waiter(this, 1, stillWaits: 1);
        foreach (var waiter in new[] { new Waiter(this, 0), again, new Waiter(this, 2) })
        {
            _port.WaitForRoom(0, waiter);
            _port.WaitForRoom(0, waiter);
        }
        _port.ReceiveReady(0);
        Assert.Equal([0, 1], _woken);
        _port.ReceiveReady(0);
        Assert.Equal([0, 1, 2, 1], _woken);
    }

    /// <summary>A flow follows its guest from queue to queue: the room that it leaves unused goes to the next in line.</summary>
    [Fact]
    public void Waiter_that_moves_on_to_another_queue_holds_nobody_up()
    {
        Open(0);
        Open(1);
        _port.WaitForRoom(0, new Moving(_port, to: 1));
        _port.WaitForRoom(0, new Waiter(this, 2));
        _port.ReceiveReady(0);
        Assert.Equal([2], _woken);
    }

    [Fact]
    public void Answers_to_a_closed_queue_go_to_one_that_is_open()
    {
        var first = Open(0);
        var second = Open(1);
        _port.WaitForRoom(1, new Waiter(this, 7));
        _port.Close(1);
        second.IsClosed = true;
        _loop.RunUntilIdle();
        Assert.Equal([7], _woken);
        Assert.True(_port.Send(1, TestFrames.Plain(60, 1)));
        Assert.Single(first.Received);
        _port.Close(0);
        Assert.False(_port.Send(1, TestFrames.Plain(60, 1)));
        Assert.False(_port.IsOpen);
    }

    [Fact]
    public void Waiters_without_a_queue_are_woken_by_the_next_one()
    {
        _port.WaitForRoom(3, new Waiter(this, 1));
        _loop.RunUntilIdle();
        Assert.Empty(_woken);
        Open(0);
        _loop.RunUntilIdle();
        Assert.Equal([1], _woken);
    }

    [Fact]
    public void Waiters_that_have_gone_do_not_make_the_line_longer()
    {
        Open(0);
        for (var i = 0; i < 100_000; i++)
        {
            var waiter = new Waiter(this, i);
            _port.WaitForRoom(0, waiter);
            if (i > 0) waiter.IsWaiting = false;
        }
        _port.ReceiveReady(0);
        Assert.InRange(_woken.Count, 1, 1100);
        Assert.Equal(0, _woken[0]);
    }

    [Theory]
    [InlineData(OffloadSet.None)]
    [InlineData(OffloadSet.Checksum)]
    public void Partial_checksum_is_completed_for_guests_that_do_not(OffloadSet accepted)
    {
        var device = Open(0, accepted);
        var (frame, offload) = TestFrames.TcpSuperFrame(true, 501, 1000);
        offload.Gso = GsoKind.None;
        offload.SegmentSize = 0;
        Assert.True(_port.Send(0, frame.AsSpan(0, 54), frame.AsSpan(54), offload));
        var received = device.Take();
        Assert.Equal(accepted == OffloadSet.None, TestFrames.HasGoodTransportChecksum(received.Bytes));
        Assert.Equal(accepted == OffloadSet.None ? ChecksumState.Unknown : ChecksumState.Partial, received.Offload.Checksum);
    }

    public void Dispose()
    {
        _loop.Dispose();
        foreach (var device in _devices) device.Dispose();
    }

    private FakeDeviceQueue Open(int index, OffloadSet accepted = OffloadSet.None)
    {
        var device = new FakeDeviceQueue(accepted: accepted);
        _devices.Add(device);
        _port.Open(new EndpointQueueConfig
        {
            Index = index, Loop = _loop, Device = device, AcceptedRx = accepted, MaxRxFrame = 1514, Counters = new QueueCounters(),
        });
        return device;
    }

    private sealed class Waiter(GuestPortTests test, int name, int stillWaits = 0) : IRoomWaiter
    {
        private int _stillWaits = stillWaits;

        public bool IsWaiting { get; set; }

        public void RoomAvailable()
        {
            test._woken.Add(name);
            if (_stillWaits-- > 0) test._port.WaitForRoom(0, this);
        }
    }

    private sealed class Moving(GuestPort port, int to) : IRoomWaiter
    {
        public bool IsWaiting { get; set; }

        public void RoomAvailable() => port.WaitForRoom(to, this);
    }
}
