using NicHost.NetVsp.Tests.Rig;
using NicHost.Probe.Netvsc;
using NicHost.Testing;

namespace NicHost.NetVsp.Tests.Net;

/// <summary>Channels and buffers that go at any time, and sections that do not come back.</summary>
public sealed class HostileBufferTests
{
    [Fact]
    public async Task Closing_at_every_stage_leaves_nothing_behind()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync(queues: 2);
        using var guest = Guest.Attach(bench);
        var before = 0;
        for (var round = 0; round < 3; round++)
        {
            for (var stage = 0; stage < 7; stage++)
            {
                using var driver = new NetvscDriver(Guest.Plain(bench) with { ReceiveBuffer = 256 << 10, SendBuffer = 64 << 10, RingPages = 4 }, guest.Bus, guest.Ram, guest.Bus.Offers.First(o => o.Index == 0));
                Action[] steps =
                [
                    () => driver.Primary.Channel.Open(), driver.NegotiateVersion, () => driver.SendConfig(1500), driver.ShareBuffers,
                    driver.Initialize, () => driver.OpenSubchannels(1), () => driver.SetFilter(0x20),
                ];
                foreach (var step in steps.Take(stage + 1)) step();
                guest.Bus.CloseChannel(driver.Primary.Channel.Offer.RelId);
                guest.Bus.TearDownGpadl(driver.Primary.Channel.Offer.RelId, driver.Primary.Channel.Gpadl);
                foreach (var buffer in new[] { driver.Receive, driver.Send })
                {
                    if (buffer is not null) guest.Bus.TearDownGpadl(driver.Primary.Channel.Offer.RelId, buffer.Gpadl);
                }
                foreach (var queue in driver.Queues.Skip(1)) guest.Bus.TearDownGpadl(queue.Channel.Offer.RelId, queue.Channel.Gpadl);
                foreach (var relId in guest.Bus.Rescinded) guest.Bus.ReleaseRelId(relId);
                guest.Bus.Rescinded.Clear();
            }
            Assert.Equal(0L, await nic.InspectAsync("buffers"));
            if (round == 0) before = OpenDescriptors.Count();
        }
        Assert.InRange(OpenDescriptors.Count(), 0, before + 2);
        Assert.Empty(nic.GuestFaults);
    }

    [Fact]
    public async Task Buffers_revoked_in_flight_are_not_touched_and_can_be_given_anew()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        guest.Queue.Returning = false;
        for (var i = 0; i < 20; i++) guest.Send(TestFrames.Plain(200, i));
        Assert.True(guest.Until(() => guest.Frames.Count > 0));
        guest.Driver.Tell(103, 0xcafe);
        guest.Driver.Tell(106, 0);
        var relId = guest.Queue.Channel.Offer.RelId;
        guest.Bus.TearDownGpadl(relId, guest.Driver.Receive!.Gpadl);
        guest.Bus.TearDownGpadl(relId, guest.Driver.Send!.Gpadl);
        guest.Driver.FreeSections.Clear();
        guest.Driver.ShareBuffers();
        // Completions of what came before mean nothing any more.
        guest.Queue.Returning = true;
        guest.Queue.ForgetOwed();
        guest.Frames.Clear();
        guest.Driver.SetFilter(0x20);
        guest.Until(() => false, 100);
        guest.Frames.Clear();
        guest.AssertEcho();
        Assert.Empty(nic.GuestFaults);
    }

    [Fact]
    public async Task Buffers_torn_down_under_a_running_card_silence_it_only()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        guest.Bus.TearDownGpadl(guest.Queue.Channel.Offer.RelId, guest.Driver.Send!.Gpadl);
        guest.Send(TestFrames.Plain(100, 1));
        Assert.True(guest.Until(() => guest.Queue.Refused == 1));
        guest.Bus.TearDownGpadl(guest.Queue.Channel.Offer.RelId, guest.Driver.Receive!.Gpadl);
        guest.Send(TestFrames.Plain(100, 1));
        Assert.True(guest.Until(() => guest.Queue.Refused == 2));
        Assert.Empty(nic.GuestFaults);
    }

    [Fact]
    public async Task Send_buffer_that_goes_takes_no_answer_along_that_was_not_read_yet()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        guest.Queue.Returning = false;
        for (var i = 0; i < 3; i++) guest.Driver.Post([.. VmbusClient.Words(8, 12, (uint)i + 5000)]);
        Assert.True(guest.Until(() => guest.Queue.InFlight == 0));
        guest.Bus.TearDownGpadl(guest.Queue.Channel.Offer.RelId, guest.Driver.Send!.Gpadl);
        // The sections of the answers are still the guest's to give back.
        guest.Queue.Returning = true;
        guest.Queue.ReturnSections();
        guest.Queue.Channel.Signal();
        guest.Send(TestFrames.Plain(100, 1));
        Assert.True(guest.Until(() => guest.Queue.Refused == 1));
        Assert.Empty(nic.GuestFaults);
    }

    [Fact]
    public async Task Requests_that_are_not_read_end_the_channel()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { RingPages = 64, SendBuffer = 1 << 20 });
        // Answers pile up: their sections are never given back.
        guest.Queue.Returning = false;
        for (var i = 0; i < 120; i++) guest.Driver.Post([.. VmbusClient.Words(8, 12, (uint)i + 5000)]);
        Assert.NotNull(nic.WaitForFault("answers that the guest does not read"));
    }

    [Fact]
    public async Task Flood_of_frames_does_not_hold_up_control()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { ReceiveBuffer = 256 << 10 });
        // Every section for frames is with the guest; the answer has one of its own.
        guest.Queue.Returning = false;
        var sent = Enumerable.Range(0, 60).Count(i => guest.Send(TestFrames.Plain(200, i)));
        guest.Until(() => guest.Frames.Count >= sent, 500);
        for (var i = 0; i < 10; i++) Assert.Equal(6, guest.Driver.Ask(0x0101_0101)!.Length);
        guest.Queue.Returning = true;
        Assert.True(guest.Until(() => guest.Frames.Count >= sent));
    }

    [Fact]
    public async Task Clients_that_come_and_go_in_the_middle_of_traffic_leave_no_memory_and_no_descriptor()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync(queues: 2);
        var (descriptors, mappings) = (0, 0);
        for (var i = 0; i < 12; i++)
        {
            using (var guest = Guest.Start(bench, Guest.Plain(bench) with { Channels = 2 }))
            {
                guest.Queue.Returning = false;
                for (var frame = 0; frame < 20; frame++) guest.Send(TestFrames.Plain(500, frame));
            }
            Assert.True(SpinWait.SpinUntil(() => nic.Peer is null, 3000));
            // The first rounds make what is made once.
            if (i == 3) (descriptors, mappings) = (OpenDescriptors.Count(), Mappings());
        }
        Assert.InRange(OpenDescriptors.Count(), 0, descriptors + 2);
        Assert.InRange(Mappings(), 0, mappings + 2);

        static int Mappings() => File.ReadLines("/proc/self/maps").Count(l => l.Contains("nichost-probe", StringComparison.Ordinal));
    }
}
