using NicHost.NetVsp.Tests.Rig;
using NicHost.Probe.Netvsc;

namespace NicHost.NetVsp.Tests.Net;

/// <summary>
/// What real drivers never send, and after which nobody knows what is meant: the channel stops with a reason until the guest closes it; another
/// card on the same bus notices nothing.
/// </summary>
public sealed class HostileChannelTests
{
    [Theory]
    [InlineData("write index", "write index")]
    [InlineData("odd index", "write index")]
    [InlineData("short packet", "a packet of")]
    [InlineData("long packet", "a packet of")]
    [InlineData("payload offset", "payload at")]
    [InlineData("packet type", "a packet of type 99")]
    [InlineData("read index", "read index")]
    [InlineData("completion", "a completion of packet 5")]
    [InlineData("init twice", "Init twice")]
    [InlineData("receive buffer twice", "a second receive buffer")]
    [InlineData("send buffer twice", "a second send buffer")]
    [InlineData("unknown message", "message 777")]
    [InlineData("subchannels twice", "subchannels twice")]
    [InlineData("subchannel operation", "subchannel operation 9")]
    [InlineData("rndis type", "an RNDIS message of type 99")]
    [InlineData("rndis length", "an RNDIS message of 4294967295 bytes")]
    [InlineData("rndis size", "an RNDIS control message of")]
    [InlineData("tiny rndis", "an RNDIS packet of 8 bytes")]
    public async Task Channel_stops_with_its_reason_and_works_again_after_it_was_closed(string what, string reason)
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync(queues: 2, mac: "52:54:00:00:00:01");
        var other = await bench.AddAsync(mac: "52:54:00:00:00:02");
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { ReceiveBuffer = 1 << 20, SendBuffer = 128 << 10 });
        using var neighbour = new NetvscDriver(Guest.Plain(bench), guest.Bus, guest.Ram, guest.Bus.Offers.Where(o => o.Index == 0).OrderBy(o => o.RelId).ElementAt(1));
        neighbour.Start();
        guest.AssertEcho();
        Misbehave(guest, what);
        Assert.NotNull(nic.WaitForFault(reason));
        Assert.StartsWith("broken", (string)(await nic.InspectAsync("queue0", "state"))!, StringComparison.Ordinal);

        // The neighbour is served all the while.
        Assert.Equal(6, neighbour.Ask(0x0101_0101)!.Length);
        Assert.Empty(other.GuestFaults);

        guest.Driver.Bus.CloseChannel(guest.Queue.Channel.Offer.RelId);
        guest.Bus.TearDownGpadl(guest.Queue.Channel.Offer.RelId, guest.Queue.Channel.Gpadl);
        using var again = new NetvscDriver(Guest.Plain(bench) with { ReceiveBuffer = 1 << 20, SendBuffer = 128 << 10 }, guest.Bus, guest.Ram, guest.Queue.Channel.Offer);
        again.Start();
        Assert.Equal(6, again.Ask(0x0101_0101)!.Length);
    }

    [Theory]
    [InlineData(101u)]
    [InlineData(104u)]
    [InlineData(107u)]
    [InlineData(125u)]
    [InlineData(129u)]
    [InlineData(133u)]
    public async Task Message_before_Init_ends_the_channel(uint type)
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Attach(bench);
        guest.Queue.Channel.Open();
        guest.Driver.Tell(type, 1, 0xffff_ffff, 0);
        Assert.NotNull(nic.WaitForFault("channel 0: "));
    }

    [Fact]
    public async Task Completion_before_Init_is_of_nothing_and_ignored()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Attach(bench);
        guest.Queue.Channel.Open();
        foreach (var transaction in new[] { 0ul, 1ul, 0x8000_0000_0000_0000ul, ulong.MaxValue }) Hostile.Raw(guest, 11, transaction, new byte[40]);
        guest.Driver.NegotiateVersion();
        Assert.Empty(nic.GuestFaults);
    }

    private static void Misbehave(Guest guest, string what)
    {
        var ring = guest.Queue.Channel.Out;
        switch (what)
        {
            case "write index": ring.WriteIndex = (uint)ring.Size + 8; break;
            case "odd index": ring.WriteIndex += 4; break;
            case "short packet": Hostile.Descriptor(ring, 6, 2, 1); break;
            case "long packet": Hostile.Descriptor(ring, 6, 2, 0xffff); break;
            case "payload offset": Hostile.Descriptor(ring, 6, 9, 4); break;
            case "packet type": Hostile.Raw(guest, 99, 1, new byte[40]); return;
            case "read index":
                guest.Queue.Channel.In.ReadIndex = 12;
                // The host looks at it when it needs the room: more completions than the ring holds.
                var payload = VmbusClient.Words(107, 0, 0xffff_ffff, 0, 0, 0, 0, 0, 0, 0);
                for (var i = 0; i < 2000; i++)
                {
                    SpinWait.SpinUntil(() => ring.Room > 100, 20);
                    if (ring.TryWrite(6, 1, true, [], payload, out _)) guest.Queue.Channel.Signal();
                }
                return;
            case "completion": Hostile.Raw(guest, 11, 5, new byte[8]); return;
            case "init twice": guest.Driver.Tell(1, 0x60001, 0x60001); return;
            case "receive buffer twice": guest.Driver.Tell(101, guest.Driver.Receive!.Gpadl, 0xcafe); return;
            case "send buffer twice": guest.Driver.Tell(104, guest.Driver.Send!.Gpadl, 0); return;
            case "unknown message": guest.Driver.Tell(777); return;
            case "subchannels twice":
                guest.Driver.Request(133, 1, 1);
                guest.Driver.Tell(133, 1, 1);
                return;
            case "subchannel operation": guest.Driver.Tell(133, 9, 1); return;
            case "rndis type": guest.Driver.Post(VmbusClient.Words(99, 12, 1)); return;
            case "rndis length": guest.Driver.Post(VmbusClient.Words(4, uint.MaxValue, 1)); return;
            case "rndis size": guest.Driver.Post(new byte[4]); return;
            case "tiny rndis": Hostile.Raw(guest, 6, 1, VmbusClient.Words(107, 0)); return;
        }
        guest.Queue.Channel.Signal();
    }
}
