using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Host.Tests.Doubles;

namespace NicHost.Host.Tests.Machines;

public sealed class BackendTests
{
    [Fact]
    public async Task Queues_are_the_fewer_of_device_and_endpoint()
    {
        await using var host = await TestHost.StartAsync("a");
        Assert.Equal(4, host.Device("a").Backend!.MaxQueues);
    }

    [Theory]
    [InlineData(QueueThreading.SharedLoop, 1)]
    [InlineData(QueueThreading.LoopPerQueue, 2)]
    public async Task Queues_spread_over_loops_as_the_endpoint_allows(QueueThreading threading, int loops)
    {
        await using var host = TestHost.Create(threading, "a");
        await host.StartAsync();
        var backend = host.Device("a").Backend!;
        Assert.Equal(loops, Enumerable.Range(0, backend.MaxQueues).Select(backend.Loop).Distinct().Count());
    }

    [Fact]
    public async Task Queue_is_opened_once_on_its_own_loop_with_what_both_sides_can_do()
    {
        await using var host = await TestHost.StartAsync("a");
        var backend = host.Device("a").Backend!;
        Assert.Throws<InvalidOperationException>(() => backend.OpenQueue(0, new FakeQueue(), default));
        await backend.Loop(0).InvokeAsync(() =>
        {
            Assert.Throws<InvalidOperationException>(() => backend.OpenQueue(4, new FakeQueue(), default));
            Assert.Throws<InvalidOperationException>(() => backend.OpenQueue(-1, new FakeQueue(), default));
            var queue = backend.OpenQueue(0, new FakeQueue(), OffloadSet.Checksum | OffloadSet.UsoV4);
            Assert.Equal((OffloadSet.Checksum, 1514), (host.Endpoint("a").LastQueue!.AcceptedRx, host.Endpoint("a").LastQueue!.MaxRxFrame));
            Assert.Throws<InvalidOperationException>(() => backend.OpenQueue(0, new FakeQueue(), default));
            queue.Close();
            queue.Close();
            backend.OpenQueue(0, new FakeQueue(), OffloadSet.Checksum | OffloadSet.TsoV4);
            Assert.Equal(FrameLimits.MaxFrame, host.Endpoint("a").LastQueue!.MaxRxFrame);
        });
    }

    [Fact]
    public async Task Link_of_the_endpoint_reaches_the_guest_and_stops_its_frames()
    {
        await using var host = await TestHost.StartAsync("a");
        var (backend, endpoint) = (host.Device("a").Backend!, host.Endpoint("a"));
        var queue = await backend.Loop(0).InvokeAsync(() => backend.OpenQueue(0, new FakeQueue(), default));
        await Send(2);
        host.Events.Clear();
        endpoint.Link = LinkState.Down;
        endpoint.Host!.LinkChanged();
        endpoint.Host.LinkChanged();
        await Send(3);
        endpoint.Link = LinkState.Up10G;
        endpoint.Host.LinkChanged();
        await Send(4);

        Assert.Equal(["vm/a link down", "vm/a link up"], host.Events);
        Assert.Equal(6, endpoint.Taken);
        Assert.Equal(3, backend.Counters(0).TxDropped(DropReason.LinkDown));

        // Link changes are posted before: by the time this runs, they are through.
        Task Send(int frames) => backend.Loop(0).InvokeAsync(() => Assert.Equal(frames, queue.Transmit(new TxBatch(new TxFrame[frames], default))));
    }

    [Fact]
    public async Task Queue_that_is_closed_passes_nothing()
    {
        await using var host = await TestHost.StartAsync("a");
        var backend = host.Device("a").Backend!;
        await backend.Loop(0).InvokeAsync(() =>
        {
            var queue = backend.OpenQueue(0, new FakeQueue(), default);
            queue.Close();
            Assert.Equal(1, queue.Transmit(new TxBatch(new TxFrame[1], default)));
        });
        Assert.Equal(0, host.Endpoint("a").Taken);
        Assert.Equal(1, backend.Counters(0).TxDropped(DropReason.LinkDown));
    }
}
