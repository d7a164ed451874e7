using NicHost.NetVsp.Tests.Rig;
using NicHost.Probe.Netvsc;

namespace NicHost.NetVsp.Tests.Vmbus;

/// <summary>Monitor pages: a guest that has an id sets a bit there instead of signalling, for a client that cannot trap the write.</summary>
public sealed class MonitorTests
{
    private const ulong ByClient = 1;
    private const ulong ByServer = 2;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Guest_that_signals_by_the_page_only_is_served(int channels)
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync(queues: channels);
        using var guest = Guest.Attach(bench, Guest.Plain(bench) with { Channels = channels }, monitor: ByServer);
        Assert.Equal((byte)guest.Queue.Channel.Offer.RelId, guest.Queue.Channel.Offer.MonitorId);
        guest.Driver.Start();
        for (var i = 0; i < 50; i++) guest.AssertEcho(60 + i);
        Assert.Equal("Server", await nic.InspectAsync("monitor"));
        // Long after the last bit the page is looked at seldom, and still.
        guest.Until(() => false, 100);
        guest.AssertEcho(100);
        Assert.Empty(nic.GuestFaults);
    }

    [Fact]
    public async Task Bits_of_channels_that_are_not_open_mean_nothing()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Attach(bench, monitor: ByServer);
        for (var round = 0; round < 3; round++)
        {
            for (var group = 0; group < MonitorPage.Groups; group++) Volatile.Write(ref guest.MonitorPage[group], uint.MaxValue);
            Assert.True(SpinWait.SpinUntil(() => Enumerable.Range(0, MonitorPage.Groups).All(g => Volatile.Read(ref guest.MonitorPage[g]) == 0), 3000));
        }
        guest.Driver.Start();
        guest.AssertEcho();
        Assert.Empty(nic.GuestFaults);
    }

    [Fact]
    public async Task Page_that_the_client_looks_at_is_the_clients()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Attach(bench, monitor: ByClient);
        Assert.NotNull(guest.Queue.Channel.Offer.MonitorId);
        // The client hands on what it sees there.
        guest.Queue.Channel.MonitorPage = null;
        guest.MonitorPage[0] = 0x55;
        guest.Driver.Start();
        guest.AssertEcho();
        Assert.Equal(0x55u, Volatile.Read(ref guest.MonitorPage[0]));
        Assert.Equal("Client", await nic.InspectAsync("monitor"));
    }

    [Fact]
    public async Task Page_is_touched_no_more_after_the_guests_kernel_has_gone()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Attach(bench, monitor: ByServer);
        guest.Driver.Start();
        guest.AssertEcho();
        guest.Driver.Stop();
        guest.Bus.Unload();
        guest.MonitorPage[0] = uint.MaxValue;
        // The answer to the next kernel's first words comes behind whatever the poller still does; it has a page of its own.
        var next = new MonitorPage(guest.Ram);
        Assert.True(guest.Bus.InitiateContact(VmbusClient.Newest, next.Address));
        next[0] = 0xff;
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref next[0]) == 0, 3000));
        Assert.Equal(uint.MaxValue, Volatile.Read(ref guest.MonitorPage[0]));
    }

    [Fact]
    public async Task Page_in_use_keeps_its_memory()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Attach(bench, monitor: ByServer);
        var address = guest.MonitorPage.Address;
        var region = guest.Ram.Regions.Single(r => address - r.GuestAddress < r.Length);
        Assert.Equal((int)Linux.Errno.EBUSY, guest.Bus.DeleteMemory(region.GuestAddress, region.Length));
        guest.Bus.Unload();
        Assert.Equal(0, guest.Bus.DeleteMemory(region.GuestAddress, region.Length));
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(0x4000_0008ul)]
    [InlineData(0xffff_ffff_ffff_f000ul)]
    public async Task Page_that_is_none_is_refused_and_the_bus_goes_on(ulong page)
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        var (bus, ram) = bench.Connect();
        using (bus)
        using (ram)
        {
            bus.Socket.Send(WireKind.Monitor, ByServer);
            Assert.True(bus.InitiateContact(VmbusClient.Newest, page));
            bus.RequestOffers();
            Assert.NotNull(nic.WaitForFault("is not a page of the guest's memory"));
            Assert.Single(bus.Offers);
        }
    }

    [Fact]
    public async Task Polling_goes_on_when_the_card_whose_loop_it_was_on_has_left()
    {
        await using var bench = new Bench();
        var one = await bench.AddAsync(mac: "52:54:00:00:00:01");
        await bench.AddAsync(mac: "52:54:00:00:00:02");
        using var guest = Guest.Attach(bench, card: 1, monitor: ByServer);
        guest.Driver.Start();
        guest.AssertEcho();
        bench.Nics.Remove(one);
        await one.DisposeAsync();
        for (var i = 0; i < 20; i++) guest.AssertEcho(60 + i);
    }
}
