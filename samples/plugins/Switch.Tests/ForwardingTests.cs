using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Nics;
using NicHost.Testing;
using Samples.Switch.Tests.Rig;

namespace Samples.Switch.Tests;

public sealed class ForwardingTests : IDisposable
{
    private static readonly MacAddress Nested = Frames.Address(0x77);

    private readonly Bench _bench = new();
    private readonly Nic _a;
    private readonly Nic _b;
    private readonly Nic _c;

    public ForwardingTests() => (_a, _b, _c) = (_bench.Plug(1), _bench.Plug(2), _bench.Plug(3));

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Frame_to_a_NIC_reaches_it_alone_before_that_has_ever_sent()
    {
        var frame = Frames.Of(_b.Address, _a.Address);
        Assert.Equal(1, _a.Send(frame));
        Assert.Equal([frame], _b.Taken);
        Assert.Empty(_c.Taken);
        Assert.Equal(1, _b.Device.Flushes);
    }

    [Fact]
    public void Group_and_unknown_addresses_reach_every_port_but_the_senders()
    {
        foreach (var to in new[] { Frames.Broadcast, new MacAddress([0x33, 0x33, 0, 0, 0, 1]), Nested })
        {
            var frame = Frames.Of(to, _a.Address);
            _a.Send(frame);
            Assert.Equal([frame], _b.Taken);
            Assert.Equal([frame], _c.Taken);
            Assert.Empty(_a.Taken);
        }
    }

    [Fact]
    public void Address_that_a_guest_sends_from_is_learned_and_forgotten_after_five_minutes()
    {
        _b.Send(Frames.Of(Frames.Broadcast, Nested));
        _ = _a.Taken;
        _ = _c.Taken;
        _bench.Pass(TimeSpan.FromSeconds(299));
        _a.Send(Frames.Of(Nested, _a.Address));
        Assert.Single(_b.Taken);
        Assert.Empty(_c.Taken);
        _bench.Pass(TimeSpan.FromSeconds(2));
        _a.Send(Frames.Of(Nested, _a.Address));
        Assert.Single(_b.Taken);
        Assert.Single(_c.Taken);
    }

    [Fact]
    public void Address_in_use_does_not_age()
    {
        for (var i = 0; i < 10; i++)
        {
            _b.Send(Frames.Of(_a.Address, Nested));
            _bench.Pass(TimeSpan.FromSeconds(200));
        }
        _a.Send(Frames.Of(Nested, _a.Address));
        Assert.Empty(_c.Taken);
    }

    [Fact]
    public void Frame_between_two_addresses_of_one_guest_goes_nowhere()
    {
        _b.Send(Frames.Of(Frames.Broadcast, Nested));
        _ = _a.Taken;
        _b.Send(Frames.Of(Nested, _b.Address));
        Assert.Empty(_a.Taken);
        Assert.Equal(1, _b.Counters.TxDropped(DropReason.NotForUs));
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0x0e)]
    public void Frame_for_the_switch_itself_is_not_passed_on(byte last)
    {
        _a.Send(Frames.Of(new MacAddress([0x01, 0x80, 0xc2, 0, 0, last]), _a.Address));
        Assert.Empty(_b.Taken);
        Assert.Equal(1, _a.Counters.TxDropped(DropReason.NotForUs));
    }

    [Fact]
    public void Frame_to_a_NIC_without_a_guest_is_dropped_with_a_count_and_not_flooded()
    {
        _b.Close();
        _a.Send(Frames.Of(_b.Address, _a.Address));
        Assert.Empty(_c.Taken);
        Assert.Equal(1, _a.Counters.TxDropped(DropReason.LinkDown));
        _b.Open();
        _a.Send(Frames.Of(_b.Address, _a.Address));
        Assert.Single(_b.Taken);
    }

    [Fact]
    public void Guest_that_starts_anew_has_lost_its_learned_addresses()
    {
        _b.Send(Frames.Of(_a.Address, Nested));
        _b.Close();
        _b.Open();
        _a.Send(Frames.Of(Nested, _a.Address));
        Assert.Single(_c.Taken);
    }

    [Fact]
    public async Task NIC_that_leaves_is_no_longer_there()
    {
        await _b.Endpoint.DisposeAsync();
        _a.Send(Frames.Of(_b.Address, _a.Address));
        Assert.Single(_c.Taken);
    }

    [Fact]
    public void Batch_of_frames_is_told_once()
    {
        using var batch = new TxBuilder();
        for (var i = 0; i < 32; i++) batch.Add(Frames.Of(_b.Address, _a.Address, 500, i), segmentSize: 100);
        Assert.Equal(32, _a.Offer(batch));
        Assert.Equal(32, _b.Device.Received.Count);
        Assert.Equal(1, _b.Device.Flushes);
    }

    [Fact]
    public void Steady_forwarding_allocates_nothing()
    {
        _b.Device.Record = _c.Device.Record = false;
        using var batch = new TxBuilder();
        for (var i = 0; i < 16; i++) batch.Add(Frames.Of(_b.Address, _a.Address, 1000, i)).Add(Frames.Of(Frames.Broadcast, _a.Address, 100, i));
        for (var i = 0; i < 2000; i++) _a.Offer(batch);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 2000; i++) _a.Offer(batch);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(4000 * 32, _b.Device.Commits);
    }

    [Fact]
    public void Inspect_shows_ports_table_and_counters()
    {
        _b.Send(Frames.Of(Frames.Broadcast, Nested));
        _a.Send(Frames.Of(_b.Address, _a.Address));
        var tree = _a.Inspect().Children.ToDictionary(node => node.Name);
        Assert.Equal((1L, 0L), (tree["unicast"].Value, tree["flooded"].Value));
        Assert.Equal(["vm1/eth0", "vm2/eth0", "vm3/eth0"], tree["ports"].Children.Select(node => node.Name));
        Assert.Equal(4L, tree["tableSize"].Value);
        Assert.Contains(tree["table"].Children, node => node is { Name: "02:00:00:00:00:77", Value: "vm2/eth0, 0 s" });
        Assert.Contains(tree["table"].Children, node => node is { Name: "02:00:00:00:00:01", Value: "vm1/eth0, its own" });
    }
}
