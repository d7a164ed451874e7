using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Nics;
using Samples.Switch.Tests.Rig;

namespace Samples.Switch.Tests;

/// <summary>What one guest cannot do to the others.</summary>
public sealed class SecurityTests : IDisposable
{
    private static readonly MacAddress Nested = Frames.Address(0x77);

    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Address_of_another_NIC_cannot_be_taken()
    {
        var (a, b, c) = (_bench.Plug(1), _bench.Plug(2), _bench.Plug(3));
        c.Send(Frames.Of(Frames.Broadcast, b.Address));
        Assert.Empty(a.Taken);
        Assert.Equal(1, c.Counters.TxDropped(DropReason.Spoofed));
        a.Send(Frames.Of(b.Address, a.Address));
        Assert.Single(b.Taken);
        Assert.Empty(c.Taken);
    }

    [Fact]
    public void Learned_address_moves_once_its_port_has_been_quiet()
    {
        var (a, b, c) = (_bench.Plug(1), _bench.Plug(2), _bench.Plug(3));
        b.Send(Frames.Of(a.Address, Nested));
        c.Send(Frames.Of(a.Address, Nested));
        Assert.Single(a.Taken);
        Assert.Equal(1, c.Counters.TxDropped(DropReason.Spoofed));
        _bench.Pass(TimeSpan.FromSeconds(5));
        c.Send(Frames.Of(a.Address, Nested));
        a.Send(Frames.Of(Nested, a.Address));
        Assert.Empty(b.Taken);
        Assert.Single(c.Taken);
    }

    [Fact]
    public void NIC_that_is_plugged_in_gets_its_own_address_back_from_whoever_used_it()
    {
        var (a, b) = (_bench.Plug(1), _bench.Plug(2));
        b.Send(Frames.Of(a.Address, Frames.Address(3)));
        var c = _bench.Plug(3);
        a.Send(Frames.Of(c.Address, a.Address));
        Assert.Single(c.Taken);
        Assert.Empty(b.Taken);
    }

    [Fact]
    public void Guest_that_forges_addresses_fills_its_own_share_of_the_table_only()
    {
        var (a, b, c) = (_bench.Plug(1, """ "maxAddresses": 4 """), _bench.Plug(2), _bench.Plug(3));
        for (byte i = 100; i < 200; i++) a.Send(Frames.Of(b.Address, Frames.Address(i)));
        Assert.Equal(3, b.Taken.Count);
        Assert.Equal(97, a.Counters.TxDropped(DropReason.Spoofed));
        b.Send(Frames.Of(c.Address, Nested));
        c.Send(Frames.Of(Nested, c.Address));
        Assert.Single(b.Taken);
        Assert.Empty(a.Taken);
    }

    [Fact]
    public void Address_limit_of_one_lets_the_NICs_own_address_pass_alone()
    {
        var (a, b) = (_bench.Plug(1, """ "maxAddresses": 1 """), _bench.Plug(2));
        a.Send(Frames.Of(b.Address, Nested));
        a.Send(Frames.Of(b.Address, a.Address));
        Assert.Equal([Frames.Of(b.Address, a.Address)], b.Taken);
    }

    [Theory]
    [InlineData(new byte[] { 0x03, 0, 0, 0, 0, 1 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0 })]
    public void Source_that_can_be_nobodys_is_dropped(byte[] source)
    {
        var (a, b) = (_bench.Plug(1), _bench.Plug(2));
        a.Send(Frames.Of(b.Address, new MacAddress(source)));
        Assert.Empty(b.Taken);
        Assert.Equal(1, a.Counters.TxDropped(DropReason.Spoofed));
    }

    [Fact]
    public void Isolated_ports_reach_the_others_and_not_each_other()
    {
        var (server, x, y) = (_bench.Plug(1), _bench.Plug(2, """ "isolated": true """), _bench.Plug(3, """ "isolated": true """));
        x.Send(Frames.Of(y.Address, x.Address));
        x.Send(Frames.Of(Frames.Broadcast, x.Address, number: 1));
        x.Send(Frames.Of(server.Address, x.Address, number: 2));
        Assert.Empty(y.Taken);
        Assert.Equal(2, server.Taken.Count);
        Assert.Equal(1, x.Counters.TxDropped(DropReason.Forbidden));
        server.Send(Frames.Of(Frames.Broadcast, server.Address));
        Assert.Single(x.Taken);
        Assert.Single(y.Taken);
    }

    [Fact]
    public void Isolation_changes_while_it_runs()
    {
        var (x, y) = (_bench.Plug(2, """ "isolated": true """), _bench.Plug(3, """ "isolated": true """));
        var wanted = Nic.ContextOf(_bench.Loop, _bench.Switch, 3, """ "isolated": false """);
        Assert.True(new SwitchFactory().CanReconfigure(y.Context, wanted));
        y.Endpoint.Reconfigure(wanted);
        x.Send(Frames.Of(y.Address, x.Address));
        Assert.Single(y.Taken);
    }

    [Fact]
    public void VLANs_are_networks_of_their_own()
    {
        var (a, b, c, d) = (_bench.Plug(1, """ "vlan": 10 """), _bench.Plug(2, """ "vlan": 10 """), _bench.Plug(3, """ "vlan": 20 """), _bench.Plug(4));
        a.Send(Frames.Of(Frames.Broadcast, a.Address));
        a.Send(Frames.Of(c.Address, a.Address));
        Assert.Equal(2, b.Taken.Count);
        Assert.Empty(c.Taken);
        Assert.Empty(d.Taken);
    }

    [Theory]
    [InlineData(20, false)]
    [InlineData(10, false)]
    [InlineData(0, true)]
    public void Guest_with_access_to_a_VLAN_may_send_priorities_but_no_VLAN_of_its_own(ushort id, bool passes)
    {
        var (a, b) = (_bench.Plug(1, """ "vlan": 10 """), _bench.Plug(2, """ "vlan": 10 """, OffloadSet.Vlan));
        var tci = (ushort)(0xe000 | id);
        a.Send(Frames.Tagged(b.Address, a.Address, tci));
        a.Send(Frames.Of(b.Address, a.Address), new FrameOffload { Flags = FrameFlags.Vlan, VlanTci = tci });
        Assert.Equal(passes ? 2 : 0, b.Taken.Count);
        Assert.Equal(passes ? 0 : 2, a.Counters.TxDropped(DropReason.Forbidden));
    }

    [Fact]
    public void Tags_pass_between_ports_without_a_VLAN()
    {
        var (a, b) = (_bench.Plug(1), _bench.Plug(2));
        a.Send(Frames.Of(b.Address, a.Address), new FrameOffload { Flags = FrameFlags.Vlan, VlanTci = 5 });
        var frame = Assert.Single(b.Taken);
        Assert.Equal([0x81, 0x00, 0x00, 0x05, 0x88, 0xb5], frame[12..18]);
    }

    [Fact]
    public void Addresses_that_a_guest_changes_after_they_were_checked_are_not_those_that_others_get()
    {
        var (a, b) = (_bench.Plug(1), _bench.Plug(2));
        b.Close();
        b.Open(new Meddler(b.Device, () => a.Memory[..14].Fill(0xee)));
        a.Send(Frames.Of(b.Address, a.Address));
        Assert.Equal(Frames.Of(b.Address, a.Address)[..14], Assert.Single(b.Taken)[..14]);
    }

    [Fact]
    public void Two_NICs_with_one_address_are_found_before_either_starts_and_refused_after()
    {
        _bench.Plug(1);
        using var twin = new Nic(_bench.Loop, _bench.Switch, 1);
        var error = Assert.Throws<IOException>(twin.Start);
        Assert.Contains("vm1/eth0 has the address 02:00:00:00:00:01", error.Message, StringComparison.Ordinal);
        var factory = new SwitchFactory();
        Assert.Equal(factory.Claims(twin.Context), factory.Claims(Nic.ContextOf(_bench.Loop, _bench.Switch, 1, "")));
        Assert.NotEqual(factory.Claims(twin.Context), factory.Claims(Nic.ContextOf(_bench.Loop, _bench.Switch, 1, """ "vlan": 7 """)));
    }

    /// <summary>A device that has the sending guest change its memory in the middle of the delivery.</summary>
    private sealed class Meddler(IDeviceQueue inner, Action meddle) : IDeviceQueue
    {
        public int Reserve(int length, Span<Segment> segments, out RxTicket ticket)
        {
            meddle();
            return inner.Reserve(length, segments, out ticket);
        }

        public void Commit(RxTicket ticket, int length, in FrameOffload offload) => inner.Commit(ticket, length, offload);

        public void Release(RxTicket ticket) => inner.Release(ticket);

        public void Flush() => inner.Flush();

        public void TransmitReady() => inner.TransmitReady();
    }
}
