using System.Buffers.Binary;
using NicHost.NetVsp.Tests.Rig;
using NicHost.Probe.Netvsc;

namespace NicHost.NetVsp.Tests.Vmbus;

/// <summary>Messages of the bus, from the guest's side.</summary>
public sealed class BusTests
{
    [Theory]
    [InlineData(0x00050003u)]
    [InlineData(0x00050002u)]
    [InlineData(0x00050001u)]
    [InlineData(0x00050000u)]
    [InlineData(0x00040001u)]
    [InlineData(0x00040000u)]
    [InlineData(0x00030000u)]
    [InlineData(0x00020004u)]
    public async Task Version_that_is_spoken_carries_a_card(uint version)
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { VmbusVersion = version });
        guest.AssertEcho();
        guest.Driver.Stop();
        guest.Bus.Unload();
    }

    [Fact]
    public async Task Version_beyond_the_option_is_refused_and_an_older_one_taken()
    {
        await using var bench = new Bench();
        await bench.AddAsync(""","vmbusVersion":"4.0" """);
        var (bus, ram) = bench.Connect();
        using (bus)
        using (ram)
        {
            foreach (var version in new uint[] { 0x60000, 0x50003, 0x40001, 0, 0xffff_ffff }) Assert.False(bus.InitiateContact(version));
            Assert.True(bus.InitiateContact(0x40000));
        }
    }

    [Fact]
    public async Task Modify_is_answered_from_5_3_on_and_never_before()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        foreach (var (version, answered) in new[] { (0x50003u, true), (0x50002u, false) })
        {
            using var guest = Guest.Start(bench, Guest.Plain(bench) with { VmbusVersion = version });
            guest.Bus.Post(MessageKind.Modify, VmbusClient.Words(guest.Queue.Channel.Offer.RelId, 1));
            var answer = guest.Bus.TryExpect(MessageKind.ModifyResponse, TimeSpan.FromMilliseconds(answered ? 3000 : 200));
            Assert.Equal(answered, answer is not null);
            guest.AssertEcho();
        }
    }

    [Fact]
    public async Task Messages_that_make_no_sense_are_refused_and_the_bus_goes_on()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        guest.Bus.Post(MessageKind.Close, VmbusClient.Words(77));
        guest.Bus.Post(MessageKind.RelIdReleased, VmbusClient.Words(78));
        guest.Bus.Post(MessageKind.GpadlTeardown, VmbusClient.Words(1, 79));
        guest.Bus.Expect(MessageKind.GpadlTorndown);
        guest.Bus.Post(MessageKind.Offer, new byte[200]);
        guest.Bus.Post((MessageKind)99, []);
        guest.Bus.Post(MessageKind.Open, new byte[4]);
        Assert.NotEqual(0u, guest.Bus.OpenChannel(80, 1, 2));
        Assert.NotEqual(0u, guest.Bus.OpenChannel(guest.Queue.Channel.Offer.RelId, guest.Queue.Channel.Gpadl, 16));
        guest.AssertEcho();
        foreach (var part in new[] { "Close of channel 77", "RelIdReleased of 78", "buffer 0x4f", "message 99", "shorter than its type", "Open of channel 80: it is not offered", "it is open already" })
            Assert.NotNull(nic.WaitForFault(part));
    }

    [Fact]
    public async Task Guest_at_war_with_the_bus_is_sent_away_and_the_next_one_is_welcome()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using (var guest = Guest.Start(bench))
        {
            for (var i = 0; i < 100; i++)
            {
                try { guest.Bus.Post(MessageKind.Close, VmbusClient.Words(999)); }
                catch (VmbusException) { break; }
            }
            Assert.NotNull(nic.WaitForFault("64 mistakes"));
        }
        using var next = Guest.Start(bench);
        next.AssertEcho();
    }

    [Fact]
    public async Task Kernel_that_starts_over_without_a_word_finds_everything_fresh()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync(queues: 2);
        var options = Guest.Plain(bench) with { Channels = 2 };
        using var first = Guest.Start(bench, options);
        first.AssertEcho();
        // The same connection, a new kernel: no close, no teardown, no unload.
        for (var i = 0; i < 3; i++)
        {
            Assert.True(first.Bus.InitiateContact(VmbusClient.Newest));
            first.Bus.RequestOffers();
            Assert.Single(first.Bus.Offers);
            using var driver = new NetvscDriver(options, first.Bus, first.Ram, first.Bus.Offers[0]);
            driver.Start();
            Assert.Equal(2, driver.Queues.Count);
        }
        first.Bus.Socket.Send(WireKind.Reset);
        Assert.True(first.Bus.InitiateContact(VmbusClient.Newest));
        Assert.Empty(nic.GuestFaults);
    }

    [Fact]
    public async Task Buffers_are_reassembled_by_arrival_and_bounded()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Attach(bench);
        var relId = guest.Queue.Channel.Offer.RelId;
        var frames = Frames(guest, 1000);
        // A thousand pages in 36 messages; taken back and made again with the same handle.
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(0u, guest.Bus.CreateGpadl(relId, 5, frames));
            Assert.NotEqual(0u, guest.Bus.CreateGpadl(relId, 5, frames.AsSpan(0, 1)));
            guest.Bus.TearDownGpadl(relId, 5);
        }
        Assert.NotEqual(0u, guest.Bus.CreateGpadl(relId, 6, [0x7fff_ffff]));
        Assert.NotEqual(0u, guest.Bus.CreateGpadl(relId, 7, [ulong.MaxValue]));
        Assert.NotEqual(0u, guest.Bus.CreateGpadl(999, 8, frames.AsSpan(0, 1)));
        // Sizes that are no whole pages, and one that no guest needs.
        foreach (var bytes in new uint[] { 0, 100, 0x8000_0000 })
        {
            guest.Bus.Post(MessageKind.GpadlHeader, VmbusClient.Words(relId, 9, 0x0001_0010, bytes, 0, 1, 0));
            Assert.NotEqual(0u, BinaryPrimitives.ReadUInt32LittleEndian(guest.Bus.Expect(MessageKind.GpadlCreated).AsSpan(16)));
        }
        guest.Bus.Post(MessageKind.GpadlBody, VmbusClient.Words(0, 4711, 0, 0));
        Assert.NotNull(nic.WaitForFault("its handle was not begun"));
        Assert.Equal(0L, await nic.InspectAsync("buffers"));
        Assert.Equal(0L, await nic.InspectAsync("bufferPages"));
    }

    [Fact]
    public async Task Number_of_buffers_is_bounded()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Attach(bench);
        var frame = Frames(guest, 1);
        var made = 0u;
        while (made < 2000 && guest.Bus.CreateGpadl(guest.Queue.Channel.Offer.RelId, 100 + made, frame) == 0) made++;
        Assert.Equal(1024u, made);
        guest.Bus.TearDownGpadl(guest.Queue.Channel.Offer.RelId, 100);
        Assert.Equal(0u, guest.Bus.CreateGpadl(guest.Queue.Channel.Offer.RelId, 5000, frame));
    }

    [Theory]
    [InlineData(16, 0u)]
    [InlineData(16, 1u)]
    [InlineData(16, 31u)]
    [InlineData(16, 32u)]
    [InlineData(16, uint.MaxValue)]
    [InlineData(1, 1u)]
    public async Task Rings_that_have_no_room_are_refused(int pages, uint downstream)
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Attach(bench, Guest.Plain(bench) with { RingPages = pages });
        guest.Queue.Channel.Describe();
        Assert.NotEqual(0u, guest.Bus.OpenChannel(guest.Queue.Channel.Offer.RelId, guest.Queue.Channel.Gpadl, downstream));
        Assert.NotNull(nic.WaitForFault("each needs two"));
    }

    [Fact]
    public async Task Rings_torn_down_under_an_open_channel_close_it()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        guest.Bus.TearDownGpadl(guest.Queue.Channel.Offer.RelId, guest.Queue.Channel.Gpadl);
        Assert.NotNull(nic.WaitForFault("holds the rings of channel"));
        Assert.Equal("closed", await nic.InspectAsync("queue0", "state"));
    }

    [Fact]
    public async Task Subchannels_end_with_their_primary_and_keep_their_numbers_until_released()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync(queues: 3);
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { Channels = 3 });
        var first = guest.Driver.Queues.Skip(1).Select(q => q.Channel.Offer.RelId).ToArray();
        guest.Driver.Bus.CloseChannel(guest.Queue.Channel.Offer.RelId);
        guest.Bus.TearDownGpadl(guest.Queue.Channel.Offer.RelId, guest.Queue.Channel.Gpadl);
        Assert.Equal(first.Order(), guest.Bus.Rescinded.Order());

        // Not released yet: the next ones are others. Released: they come again.
        foreach (var release in new[] { false, true })
        {
            using var driver = new NetvscDriver(Guest.Plain(bench) with { Channels = 3 }, guest.Bus, guest.Ram, guest.Queue.Channel.Offer);
            driver.Start();
            var again = driver.Queues.Skip(1).Select(q => q.Channel.Offer.RelId).ToArray();
            Assert.Equal(release, again.SequenceEqual(first));
            driver.Bus.CloseChannel(guest.Queue.Channel.Offer.RelId);
            driver.Bus.TearDownGpadl(guest.Queue.Channel.Offer.RelId, driver.Primary.Channel.Gpadl);
            foreach (var relId in guest.Bus.Rescinded) guest.Bus.ReleaseRelId(relId);
            guest.Bus.Rescinded.Clear();
        }
        Assert.Empty(nic.GuestFaults);
    }

    [Fact]
    public async Task Cards_of_one_vm_share_a_bus_and_one_that_leaves_is_taken_back()
    {
        await using var bench = new Bench();
        var one = await bench.AddAsync(mac: "52:54:00:00:00:01");
        var two = await bench.AddAsync(mac: "52:54:00:00:00:02");
        using var guest = Guest.Start(bench);
        Assert.Equal(2, guest.Bus.Offers.Count);
        using var second = new NetvscDriver(Guest.Plain(bench), guest.Bus, guest.Ram, guest.Bus.Offers[1]);
        second.Start();
        Assert.Equal("52:54:00:00:00:01", guest.Driver.Mac.ToString());
        Assert.Equal("52:54:00:00:00:02", second.Mac.ToString());

        // The bus lives on the loop of the first card: it moves.
        bench.Nics.Remove(one);
        await one.DisposeAsync();
        Assert.True(guest.Bus.WaitForOffers(second.Primary.Channel.Offer.Instance, 1));
        guest.Bus.Pump();
        Assert.Equal([guest.Queue.Channel.Offer.RelId], guest.Bus.Rescinded);
        Assert.Equal(6, second.Ask(0x0101_0101)!.Length);

        var three = await bench.AddAsync(mac: "52:54:00:00:00:03");
        Assert.True(SpinWait.SpinUntil(() => { guest.Bus.Pump(); return guest.Bus.Offers.Count == 2; }, 3000));
        Assert.Empty(two.GuestFaults);
        Assert.Empty(three.GuestFaults);
    }

    /// <summary>Linux takes an offer of a card that it still has for the end of a hibernation, and never sees it again.</summary>
    [Fact]
    public async Task Card_that_was_taken_back_is_offered_again_once_the_guest_has_let_go_of_it()
    {
        await using var bench = new Bench();
        var one = await bench.AddAsync(mac: "52:54:00:00:00:01");
        await bench.AddAsync(mac: "52:54:00:00:00:02");
        using var guest = Guest.Start(bench);
        var old = guest.Queue.Channel.Offer;
        bench.Nics.Remove(one);
        await one.DisposeAsync();
        await bench.AddAsync(mac: "52:54:00:00:00:01");
        // An answer comes behind everything that was said before it.
        guest.Bus.TearDownGpadl(old.RelId, guest.Queue.Channel.Gpadl);
        Assert.Equal([old.RelId], guest.Bus.Rescinded);
        Assert.DoesNotContain(guest.Bus.Offers, o => o.Instance == old.Instance);
        guest.Bus.ReleaseRelId(old.RelId);
        Assert.True(guest.Bus.WaitForOffers(old.Instance, 1));
        using var again = new NetvscDriver(Guest.Plain(bench), guest.Bus, guest.Ram, guest.Bus.Offers.Single(o => o.Instance == old.Instance));
        again.Start();
        Assert.Equal("52:54:00:00:00:01", again.Mac.ToString());
    }

    [Fact]
    public async Task Cards_that_disagree_about_their_bus_do_not_start()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        var e = await Assert.ThrowsAsync<IOException>(() => bench.AddAsync(""","vmbusVersion":"4.0" """, mac: "52:54:00:00:00:02"));
        Assert.Contains("must agree", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Second_client_is_turned_away_while_the_first_lives()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using (var guest = Guest.Start(bench))
        {
            Assert.Throws<VmbusException>(() => new VmbusClient(bench.Socket, TimeSpan.FromSeconds(2)));
            guest.AssertEcho();
        }
        using var next = Guest.Start(bench);
        next.AssertEcho();
    }

    private static ulong[] Frames(Guest guest, int count)
    {
        var buffer = new GuestBuffer(guest.Ram, count * 4096, scattered: true);
        return buffer.Frames;
    }
}
