using NicHost.Probe.Checks;
using NicHost.Probe.Driver;
using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Tests.EndToEnd;

/// <summary>Virtio and Consomme with every set of features that a real driver might negotiate: streams whole, no malformed frame.</summary>
public sealed class FeatureTests
{
    private const VirtioFeatures Least = VirtioFeatures.Version1 | VirtioFeatures.ProtocolFeatures;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(Least, 1500)]
    [InlineData(Least, 65520)]
    [InlineData(Least | VirtioFeatures.MrgRxBuf, 1500)]
    [InlineData(Least | VirtioFeatures.MrgRxBuf | VirtioFeatures.EventIdx, 9000)]
    [InlineData(Least | VirtioFeatures.IndirectDesc, 1500)]
    [InlineData(Least | VirtioFeatures.Csum | VirtioFeatures.HostTso4, 1500)]
    [InlineData(Least | VirtioFeatures.GuestCsum | VirtioFeatures.GuestTso4 | VirtioFeatures.GuestTso6, 1500)]
    [InlineData(VirtioFeatures.Default & ~VirtioFeatures.MrgRxBuf, 1500)]
    [InlineData(VirtioFeatures.Default & ~VirtioFeatures.Gso, 1500)]
    [InlineData(VirtioFeatures.Default, 1500)]
    public async Task Streams_are_whole_with_any_features(VirtioFeatures features, int mtu)
    {
        await using var nic = await NicFixture.StartAsync(mtu);
        using var services = new LoopbackServices();
        await Task.Factory.StartNew(
            () =>
            {
                using var guest = nic.Attach(features);
                Transfer(guest, guest.Stack.Router4, services, 4 << 20);
                Assert.Equal("", guest.Faults.ToString());
            },
            TaskCreationOptions.LongRunning);
    }

    [Fact]
    public async Task Two_queue_pairs_carry_flows_side_by_side()
    {
        // Consomme keeps a NIC's queues on one loop; the device serves both pairs.
        await using var nic = await NicFixture.StartAsync(queues: 2);
        using var services = new LoopbackServices();
        await Task.Factory.StartNew(
            () =>
            {
                using var guest = nic.Attach(queuePairs: 2);
                Assert.Equal(Math.Min(2, nic.Nic.MaxQueues), guest.Frontend.QueuePairs);
                for (var i = 0; i < 4; i++) Transfer(guest, guest.Stack.Router4, services, 1 << 20);
                Assert.Equal("", guest.Faults.ToString());
                foreach (var queue in guest.Tx) Assert.True(queue.Frames > 0, "A queue pair stayed idle.");
            },
            TaskCreationOptions.LongRunning);
    }

    [Fact]
    public async Task Guest_that_vanishes_is_followed_by_the_next()
    {
        await using var nic = await NicFixture.StartAsync();
        using var services = new LoopbackServices();
        for (var i = 0; i < 5; i++)
        {
            await Task.Factory.StartNew(
                () =>
                {
                    using var guest = nic.Attach();
                    var sink = new CountingSink();
                    var source = new PrefixedSource(guest.Ram, "GET 1000000000\n"u8, 0);
                    guest.Stack.Connect(guest.Stack.Router4, services.TcpPort, source, sink);

                    // Gone in the middle of a stream, without a word: as if killed.
                    Assert.True(guest.RunUntil(() => sink.Bytes > 1 << 20, Limit));
                },
                TaskCreationOptions.LongRunning);
        }
    }

    [Fact]
    public async Task Driver_that_stops_and_starts_goes_on_with_a_new_lease()
    {
        await using var nic = await NicFixture.StartAsync();
        using var services = new LoopbackServices();
        await Task.Factory.StartNew(
            () =>
            {
                using var guest = nic.Attach();
                for (var i = 0; i < 3; i++)
                {
                    Transfer(guest, guest.Stack.Router4, services, 1 << 20);
                    guest.StopQueues();
                    guest.StartQueues();
                }
                Transfer(guest, guest.Stack.Router4, services, 1 << 20);
                Assert.Equal("", guest.Faults.ToString());
            },
            TaskCreationOptions.LongRunning);
    }

    [Fact]
    public async Task Closed_port_of_the_host_refuses_at_once()
    {
        await using var nic = await NicFixture.StartAsync();
        await Task.Factory.StartNew(
            () =>
            {
                using var guest = nic.Attach();
                var connection = guest.Stack.Connect(guest.Stack.Router4, 1, new BufferSource(guest.Ram), new CountingSink());
                Assert.True(guest.RunUntil(() => connection.State == TcpState.Closed, TimeSpan.FromSeconds(2)));
                Assert.True(connection.WasReset, connection.Error);
            },
            TaskCreationOptions.LongRunning);
    }

    [Fact]
    public async Task Guest_that_posts_no_buffers_loses_nothing_of_a_stream()
    {
        await using var nic = await NicFixture.StartAsync();
        using var services = new LoopbackServices();
        await Task.Factory.StartNew(
            () =>
            {
                using var guest = nic.Attach();
                var sink = new CountingSink(verify: true);
                var source = new PrefixedSource(guest.Ram, "GET 16777216\n"u8, 0);
                var connection = guest.Stack.Connect(guest.Stack.Router4, services.TcpPort, source, sink);
                Assert.True(guest.RunUntil(() => sink.Bytes > 1 << 20, Limit));
                guest.Rx[0].Reposting = false;
                guest.RunUntil(() => false, TimeSpan.FromMilliseconds(300));
                guest.Rx[0].Reposting = true;
                guest.Rx[0].RepostAll();
                Assert.True(guest.RunUntil(() => connection.State == TcpState.Closed, Limit), $"{sink.Bytes} {connection.State}");
                Assert.Equal((16 << 20, 0), (sink.Bytes, sink.Wrong));
            },
            TaskCreationOptions.LongRunning);
    }

    private static void Transfer(ProbeGuest guest, Ip to, LoopbackServices services, int bytes)
    {
        var down = new CountingSink(verify: true);
        var connection = guest.Stack.Connect(to, services.TcpPort, new PrefixedSource(guest.Ram, System.Text.Encoding.ASCII.GetBytes($"GET {bytes}\n"), 0), down);
        Assert.True(guest.RunUntil(() => connection.State == TcpState.Closed, Limit), $"GET: {down.Bytes} of {bytes}, {connection.State}, {guest.Faults}");
        Assert.Equal((bytes, 0), (down.Bytes, down.Wrong));

        var verdict = new BufferSink();
        connection = guest.Stack.Connect(to, services.TcpPort, new PrefixedSource(guest.Ram, System.Text.Encoding.ASCII.GetBytes($"PUT {bytes}\n"), bytes), verdict);
        Assert.True(guest.RunUntil(() => connection.State == TcpState.Closed, Limit), $"PUT: {connection.Acknowledged} of {bytes}, {connection.State}, {guest.Faults}");
        Assert.Equal($"{bytes} right\n", System.Text.Encoding.ASCII.GetString(verdict.Content));
    }
}
