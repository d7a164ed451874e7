using NicHost.Probe.Checks;
using NicHost.Probe.Driver;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Tests.EndToEnd;

/// <summary>
/// The gate on allocation: the NIC's loop thread (device and endpoint) and the guest's thread move thousands of frames without a byte
/// from the heap. What is left is allowed per measurement, not per frame: the question itself, and a list that grows once.
/// </summary>
public sealed class AllocationTests
{
    private const int Slack = 2048;

    // What happens once (a flow takes its spill buffer from the pool) is in one window only; what happens per frame is in all.
    private const int Windows = 3;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(Card.Virtio, true, 64 << 20)]
    [InlineData(Card.Virtio, false, 16 << 20)]
    [InlineData(Card.NetVsp, true, 64 << 20)]
    [InlineData(Card.NetVsp, false, 16 << 20)]
    public async Task Tcp_to_the_host_allocates_nothing_per_frame(Card card, bool superFrames, int bytes)
    {
        await using var nic = await NicFixture.StartAsync(card: card);
        using var services = new LoopbackServices();
        var (guest, connection) = Dedicated(() =>
        {
            var guest = nic.Attach(card, superFrames);
            var source = new PrefixedSource(guest.Ram, "PUT 1000000000000\n"u8, 1L << 40);
            return (guest, guest.Stack.Connect(guest.Stack.Router4, services.TcpPort, source, new CountingSink()));
        });
        using (guest) await MeasureAsync(nic, guest, () => connection.Acknowledged, bytes, () => connection.State.ToString());
    }

    [Theory]
    [InlineData(Card.Virtio, true, 64 << 20)]
    [InlineData(Card.Virtio, false, 16 << 20)]
    [InlineData(Card.NetVsp, true, 64 << 20)]
    [InlineData(Card.NetVsp, false, 16 << 20)]
    public async Task Tcp_from_the_host_allocates_nothing_per_frame(Card card, bool superFrames, int bytes)
    {
        await using var nic = await NicFixture.StartAsync(card: card);
        using var services = new LoopbackServices();
        var sink = new CountingSink();
        var guest = Dedicated(() =>
        {
            var guest = nic.Attach(card, superFrames);
            var source = new PrefixedSource(guest.Ram, "GET 1000000000000\n"u8, 0);
            guest.Stack.Connect(guest.Stack.Router4, services.TcpPort, source, sink);
            return guest;
        });
        using (guest) await MeasureAsync(nic, guest, () => sink.Bytes, bytes, () => guest.Faults.ToString());
    }

    [Theory]
    [InlineData(Card.Virtio)]
    [InlineData(Card.NetVsp)]
    public async Task Udp_echo_allocates_nothing_per_frame(Card card)
    {
        await using var nic = await NicFixture.StartAsync(card: card);
        using var services = new LoopbackServices();
        using var guest = Dedicated(() => nic.Attach(card, superFrames: true));
        var port = guest.Stack.OpenUdp();
        var waiting = false;
        port.Received = (_, _, _) => waiting = false;
        var payload = new byte[500];
        await MeasureAsync(
            nic,
            guest,
            () =>
            {
                if (!waiting) waiting = guest.Stack.SendUdp(port, guest.Stack.Router4, services.UdpPort, payload);
                return port.Datagrams;
            },
            2000,
            () => guest.Faults.ToString());
    }

    /// <summary>Lets a tenth pass to warm up, then measures while the rest does, in windows.</summary>
    private static async Task MeasureAsync(NicFixture nic, IGuest guest, Func<long> progress, long amount, Func<string> state)
    {
        long target = 0;
        Func<bool> done = () => progress() >= target;
        var ok = true;
        long Run(long to) => Dedicated(() =>
        {
            target = to;
            var before = GC.GetAllocatedBytesForCurrentThread();
            ok &= guest.RunUntil(done, Limit);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        Run(amount / 10);
        var (loopBytes, guestBytes) = (long.MaxValue, long.MaxValue);
        for (var window = 1; window <= Windows; window++)
        {
            var frames = guest.FramesReceived + guest.FramesSent;
            var loopBefore = await LoopBytesAsync(nic);
            guestBytes = Math.Min(guestBytes, Run((amount / 10) + (window * (amount / Windows))));
            loopBytes = Math.Min(loopBytes, await LoopBytesAsync(nic) - loopBefore);
            frames = guest.FramesReceived + guest.FramesSent - frames;
            Assert.True(ok, $"Only {progress()} of {amount}: {state()}");
            Assert.True(frames > 100, $"Only {frames} frames were measured.");
        }
        Assert.True(loopBytes <= Slack, $"The NIC's loop allocated at least {loopBytes} bytes in each of {Windows} windows.");
        Assert.True(guestBytes <= Slack, $"The guest allocated at least {guestBytes} bytes in each of {Windows} windows.");
    }

    private static async Task<long> LoopBytesAsync(NicFixture nic)
    {
        var answer = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        nic.Nic.Loop(0).Post(() => answer.SetResult(GC.GetAllocatedBytesForCurrentThread()));
        return await answer.Task.WaitAsync(Limit);
    }

    // A thread of its own for the guest, so that nothing else's allocations count.
    private static T Dedicated<T>(Func<T> body) =>
        Task.Factory.StartNew(body, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).GetAwaiter().GetResult();
}
