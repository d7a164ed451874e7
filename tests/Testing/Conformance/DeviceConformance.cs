using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using Xunit;

namespace NicHost.Testing.Conformance;

/// <summary>
/// What the contract asks of every device, driven from the guest's side through the real transport with the loopback endpoint behind.
/// A plugin's test project derives from it and brings its driver; one whose transport negotiates, from <see cref="NegotiatingDeviceConformance"/>.
/// </summary>
public abstract class DeviceConformance
{
    /// <summary>How long a guest waits for what has to come.</summary>
    protected static TimeSpan Patience { get; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a guest waits for what should not come.</summary>
    protected static TimeSpan Moment { get; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Makes a device that listens at <paramref name="socket"/>.</summary>
    protected abstract IDevice CreateDevice(IEventLoop loop, string socket, int queues, int mtu);

    /// <summary>Makes a driver for it.</summary>
    protected abstract IGuestDriver CreateDriver(string socket);

    /// <summary>Options that the device takes while it runs; null (the default) when it takes none.</summary>
    protected virtual DeviceChange? Change(IEventLoop loop, string socket) => null;

    /// <summary>Queue counts that the device can be made with.</summary>
    protected virtual int MaxQueues => 2;

    [Fact]
    public Task Frames_of_every_size_come_back() => RunAsync((guest, _) =>
    {
        guest.Attach(OffloadSet.None);
        foreach (var length in new[] { 14, 60, 61, 127, 128, 1000, 1513, 1514 }) AssertEcho(guest, length);
    });

    [Fact]
    public Task Thousands_of_frames_come_back_in_order() => RunAsync((guest, nic) =>
    {
        guest.Attach(OffloadSet.Checksum);
        for (int sent = 0, received = 0; received < 5000;)
        {
            if (sent < 5000 && sent - received < 100 && guest.TrySend(0, TestFrames.Plain(60 + (sent % 1400), sent))) { sent++; continue; }
            var frame = guest.Receive(0, Patience);
            Assert.NotNull(frame);
            Assert.Equal(TestFrames.Plain(60 + (received % 1400), received), frame.Bytes);
            received++;
        }
        AssertCount(5000, () => nic.Counters(0).TxFrames);
        AssertCount(5000, () => nic.Counters(0).RxFrames);
        Assert.True(nic.Counters(0).TxBytes == nic.Counters(0).RxBytes && nic.Counters(0).TxBytes > 5000 * 60);
    });

    [Fact]
    public Task Guest_without_buffers_loses_nothing_once_it_posts_some() => RunAsync((guest, _) =>
    {
        guest.Attach(OffloadSet.None, postBuffers: false);
        for (var i = 0; i < 10; i++) Assert.True(guest.TrySend(0, TestFrames.Plain(500, i)));
        Assert.Null(guest.Receive(0, Moment));
        guest.PostBuffers(0);
        for (var i = 0; i < 10; i++) Assert.Equal(TestFrames.Plain(500, i), guest.Receive(0, Patience)?.Bytes);
    });

    [Fact]
    public Task Driver_reloaded_many_times_works_each_time() => RunAsync((guest, nic) =>
    {
        for (var i = 0; i < 20; i++)
        {
            guest.Attach(i % 2 == 0 ? OffloadSet.None : OffloadSet.Checksum | OffloadSet.AllGso);
            AssertEcho(guest, 200 + i);
            guest.Detach();
        }
        Assert.Empty(nic.GuestFaults);
    });

    [Fact]
    public Task Guest_that_vanishes_is_followed_by_the_next_and_leaves_no_descriptor() => RunAsync((guest, _) =>
    {
        guest.Attach(OffloadSet.None);
        AssertEcho(guest, 100);
        guest.Vanish();
        guest.Attach(OffloadSet.None);
        AssertEcho(guest, 101);
        var before = OpenDescriptors.Count();
        for (var i = 0; i < 5; i++)
        {
            guest.Vanish();
            guest.Attach(OffloadSet.None);
            AssertEcho(guest, 102);
        }
        Assert.InRange(OpenDescriptors.Count(), 0, before + 2);
    });

    [Fact]
    public Task Every_queue_carries_its_own_frames() => RunAsync((guest, nic) =>
    {
        guest.Attach(OffloadSet.None, MaxQueues);
        for (var queue = 0; queue < MaxQueues; queue++)
        {
            Assert.True(guest.TrySend(queue, TestFrames.Plain(300, queue)));
            Assert.Equal(TestFrames.Plain(300, queue), guest.Receive(queue, Patience)?.Bytes);
            AssertCount(1, () => nic.Counters(queue).TxFrames);
        }
    }, MaxQueues);

    [Theory]
    [InlineData(576)]
    [InlineData(9000)]
    [InlineData(65520)]
    public Task Largest_frame_of_an_mtu_comes_back(int mtu) => RunAsync((guest, _) =>
    {
        guest.Attach(OffloadSet.None);
        AssertEcho(guest, mtu + 14);
    }, mtu: mtu);

    [Fact]
    public Task Other_options_are_taken_or_refused_and_the_guest_goes_on()
    {
        DeviceChange? change = null;
        return RunAsync((guest, nic) =>
        {
            guest.Attach(OffloadSet.None);
            for (var i = 0; i < 4; i++)
            {
                AssertEcho(guest, 100 + i);
                if (change is not null) nic.ReconfigureDeviceAsync(i % 2 == 0 ? change.Wanted : change.Running).Wait(Patience);
                else Assert.Throws<NotSupportedException>(() => nic.ReconfigureDeviceAsync(TestNic.DeviceContext(nic.Loop(0), """{"kind":"any"}""")).GetAwaiter().GetResult());
                AssertEcho(guest, 200 + i);
            }
            Assert.Empty(nic.GuestFaults);
        }, device: (loop, socket) =>
        {
            change = Change(loop, socket);
            if (change is null) return CreateDevice(loop, socket, 1, 1500);
            Assert.True(change.Factory.CanReconfigure(change.Running, change.Wanted), "the factory refuses the change");
            Assert.True(change.Factory.CanReconfigure(change.Wanted, change.Running), "the factory refuses the way back");
            return change.Factory.Create(change.Running);
        });
    }

    // A frame can be back in the guest before the device has counted it: its loop is another thread.
    private static void AssertCount(long expected, Func<long> count)
    {
        SpinWait.SpinUntil(() => count() >= expected, Patience);
        Assert.Equal(expected, count());
    }

    /// <summary>Sends a frame of <paramref name="length"/> bytes and wants it back.</summary>
    protected static void AssertEcho(IGuestDriver guest, int length)
    {
        ArgumentNullException.ThrowIfNull(guest);
        var frame = TestFrames.Plain(length, length);
        Assert.True(guest.TrySend(0, frame));
        Assert.Equal(frame, guest.Receive(0, Patience)?.Bytes);
    }

    /// <summary>Runs a guest's side against a device of its own, with the loopback endpoint behind.</summary>
    /// <param name="body">The guest's side.</param>
    /// <param name="queues">The most queues.</param>
    /// <param name="mtu">The NIC's MTU.</param>
    /// <param name="device">Makes the device; null: <see cref="CreateDevice"/>.</param>
    protected async Task RunAsync(Action<IGuestDriver, TestNic> body, int queues = 1, int mtu = 1500, Func<IEventLoop, string, IDevice>? device = null)
    {
        var folder = Directory.CreateTempSubdirectory("nichost-");
        try
        {
            var socket = Path.Combine(folder.FullName, "nic.sock");
            await using var nic = await TestNic.StartAsync(
                loop => new LoopbackEndpointFactory().Create(TestNic.EndpointContext(loop, """{"kind":"loopback"}""", mtu)),
                loop => device?.Invoke(loop, socket) ?? CreateDevice(loop, socket, queues, mtu), queues, mtu);
            using var guest = CreateDriver(socket);
            await Task.Run(() => body(guest, nic)).WaitAsync(TimeSpan.FromSeconds(60));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
