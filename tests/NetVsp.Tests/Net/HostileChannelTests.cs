using System.Buffers.Binary;
using NicHost.Contracts.Diagnostics;
using NicHost.NetVsp.Tests.Rig;
using NicHost.Probe.Netvsc;
using NicHost.Testing;

namespace NicHost.NetVsp.Tests.Net;

/// <summary>
/// What real drivers never send. Each ends as stated: the channel stops with a reason until the guest closes it, or the packet is refused and
/// counted; another card on the same bus notices nothing.
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
    [InlineData("section index")]
    [InlineData("section size")]
    [InlineData("no ranges")]
    [InlineData("ranges beyond")]
    [InlineData("range outside memory")]
    [InlineData("range offset")]
    [InlineData("range huge")]
    [InlineData("message length")]
    [InlineData("data beyond")]
    [InlineData("out of band")]
    [InlineData("information beyond")]
    [InlineData("information size")]
    [InlineData("no message")]
    [InlineData("tiny frame")]
    [InlineData("large send without agreement")]
    public async Task Packet_is_refused_and_counted_and_the_channel_goes_on(string what)
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { Offloads = 0 });
        var refused = guest.Queue.Refused;
        SendBad(guest, what);
        Assert.True(guest.Until(() => guest.Queue.Refused > refused), what);
        Assert.True(Enum.GetValues<DropReason>().Sum(nic.Counters(0).TxDropped) > 0);
        guest.AssertEcho();
        Assert.Empty(nic.GuestFaults);
    }

    [Fact]
    public async Task Frame_of_more_pieces_than_any_endpoint_takes_is_refused()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync(mtu: 9000);
        using var guest = Guest.Start(bench);
        var section = Header(guest, 44, 36, 1200, 1244);
        Packet(guest, 9, section, 44, ScatteredRanges(guest, 300));
        Assert.True(guest.Until(() => guest.Queue.Refused == 1));
        Assert.Equal(1, nic.Counters(0).TxDropped(DropReason.TooLong));
        guest.AssertEcho();
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
        foreach (var transaction in new[] { 0ul, 1ul, 0x8000_0000_0000_0000ul, ulong.MaxValue }) Raw(guest, 11, transaction, new byte[40]);
        guest.Driver.NegotiateVersion();
        Assert.Empty(nic.GuestFaults);
    }

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

    [Theory]
    [InlineData("entry")]
    [InlineData("empty")]
    [InlineData("long")]
    [InlineData("key")]
    [InlineData("offset")]
    [InlineData("function")]
    [InlineData("short")]
    public async Task Scaling_that_makes_no_sense_is_refused(string what)
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync(queues: 2);
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { Channels = 2 });
        byte[] bad = what switch
        {
            "entry" => Scaling.Setting([0, 5]),
            "empty" => Scaling.Setting([]),
            "long" => Scaling.Setting(new uint[129]),
            "key" => Scaling.Setting([0, 1], keySize: 39),
            "offset" => Scaling.Setting([0, 1], tableOffset: 0xffff_fff0),
            "function" => Scaling.Setting([0, 1], function: 3),
            _ => new byte[20],
        };
        Assert.NotEqual(0u, guest.Driver.Tune(0x0001_0204, bad));
        Assert.Null(await nic.InspectAsync("nvsp", "rndis", "rss"));
        Assert.Equal(0u, guest.Driver.Tune(0x0001_0204, Scaling.Setting([0, 1])));
        Assert.Equal("0 1", await nic.InspectAsync("nvsp", "rndis", "rss"));
        guest.AssertEcho();
    }

    /// <summary>Ranges of 4 bytes in pages that do not touch each other.</summary>
    private static unsafe byte[] ScatteredRanges(Guest guest, int count)
    {
        var pages = guest.Ram.Allocate(2 * count * 4096, 4096);
        var ranges = new List<byte>(VmbusClient.Words(0, (uint)count));
        for (var i = 0; i < count; i++)
        {
            ranges.AddRange(VmbusClient.Words(4, 0));
            ranges.AddRange(BitConverter.GetBytes(guest.Ram.ToGuest(pages + (i * 2 * 4096)) / 4096));
        }
        return [.. ranges];
    }

    private static void Misbehave(Guest guest, string what)
    {
        var ring = guest.Queue.Channel.Out;
        switch (what)
        {
            case "write index": ring.WriteIndex = (uint)ring.Size + 8; break;
            case "odd index": ring.WriteIndex += 4; break;
            case "short packet": Descriptor(ring, 6, 2, 1); break;
            case "long packet": Descriptor(ring, 6, 2, 0xffff); break;
            case "payload offset": Descriptor(ring, 6, 9, 4); break;
            case "packet type": Raw(guest, 99, 1, new byte[40]); return;
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
            case "completion": Raw(guest, 11, 5, new byte[8]); return;
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
            case "tiny rndis": Raw(guest, 6, 1, VmbusClient.Words(107, 0)); return;
        }
        guest.Queue.Channel.Signal();
    }

    private static unsafe void SendBad(Guest guest, string what)
    {
        var frame = what == "tiny frame" ? 13u : 60u;
        var length = 44 + frame;
        var section = Header(guest, 44, 36, frame, length);
        var message = guest.Driver.Send!.At(section * guest.Driver.SendSectionSize);
        switch (what)
        {
            case "section index": Packet(guest, 6, section, (int)length, [], index: 0xffff_fff0); return;
            case "section size": Packet(guest, 6, section, 6145, []); return;
            case "no ranges": Packet(guest, 9, section, (int)length, VmbusClient.Words(0, 0)); return;
            case "ranges beyond": Packet(guest, 9, section, (int)length, VmbusClient.Words(0, 50, 4, 0)); return;
            case "range outside memory": Packet(guest, 9, section, (int)length, [.. VmbusClient.Words(0, 1, 4, 0), .. BitConverter.GetBytes(0x7_ffff_ffffUL)]); return;
            case "range offset": Packet(guest, 9, section, (int)length, VmbusClient.Words(0, 1, 4, 4096, 0, 0)); return;
            case "range huge": Packet(guest, 9, section, (int)length, VmbusClient.Words(0, 1, 0xffff_0000, 0, 0, 0)); return;
            case "message length": Set(4, 10_000); break;
            case "data beyond": Set(12, 100); break;
            case "out of band": Set(20, 1); break;
            case "information beyond":
                Set(28, 36);
                Set(32, 500);
                break;
            case "information size":
                Set(28, 36);
                Set(32, 16);
                Set(44, 1000);
                break;
            case "no message": length = 4; break;
            case "large send without agreement":
                Set(8, 52);
                Set(12, 44);
                Set(28, 36);
                Set(32, 16);
                foreach (var (at, value) in new[] { (44, 16u), (48, 2u), (52, 12u), (56, 1000u | (34 << 20)) }) Set(at, value);
                break;
        }
        Packet(guest, 6, section, (int)length, []);

        void Set(int at, uint value) => *(uint*)(message + at) = value;
    }

    private static unsafe int Header(Guest guest, int at, uint dataOffset, uint dataLength, uint messageLength)
    {
        Assert.True(guest.Driver.FreeSections.TryPop(out var section));
        var message = guest.Driver.Send!.At(section * guest.Driver.SendSectionSize);
        new Span<byte>(message, 256).Clear();
        VmbusClient.Words(1, messageLength, dataOffset, dataLength).CopyTo(new Span<byte>(message, 16));
        TestFrames.Plain(60, 1).CopyTo(new Span<byte>(message + at, 60));
        return section;
    }

    private static void Packet(Guest guest, ushort type, int section, int size, byte[] header, uint? index = null)
    {
        var payload = VmbusClient.Words(107, 0, index ?? (uint)section, (uint)size, 0, 0, 0, 0, 0, 0);
        Assert.True(guest.Queue.Channel.Out.TryWrite(type, (ulong)section, true, header, payload, out _));
        guest.Queue.Channel.Signal();
    }

    private static void Raw(Guest guest, ushort type, ulong transaction, byte[] payload)
    {
        Assert.True(guest.Queue.Channel.Out.TryWrite(type, transaction, false, [], payload, out _));
        guest.Queue.Channel.Signal();
    }

    private static void Descriptor(GuestRing ring, ushort type, ushort offset8, ushort length8)
    {
        var at = (int)ring.WriteIndex;
        BinaryPrimitives.WriteUInt16LittleEndian(ring.Data[at..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(ring.Data[(at + 2)..], offset8);
        BinaryPrimitives.WriteUInt16LittleEndian(ring.Data[(at + 4)..], length8);
        Volatile.Write(ref ring.WriteIndex, (uint)(at + 64));
    }
}

/// <summary>RSS settings as drivers write them: fixed part, table, key.</summary>
internal static class Scaling
{
    public static readonly byte[] Key = Convert.FromHexString("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa");

    public static byte[] Setting(uint[] table, int keySize = 40, uint? tableOffset = null, byte function = 1)
    {
        var setting = new byte[40 + (4 * table.Length) + keySize];
        setting[0] = 0x89;
        setting[1] = 2;
        BinaryPrimitives.WriteUInt16LittleEndian(setting.AsSpan(2), 40);
        // TCP and addresses of both versions.
        BinaryPrimitives.WriteUInt32LittleEndian(setting.AsSpan(8), function | 0x1700u);
        BinaryPrimitives.WriteUInt16LittleEndian(setting.AsSpan(12), (ushort)(4 * table.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(setting.AsSpan(16), tableOffset ?? 40);
        BinaryPrimitives.WriteUInt16LittleEndian(setting.AsSpan(20), (ushort)keySize);
        BinaryPrimitives.WriteUInt32LittleEndian(setting.AsSpan(24), (uint)(40 + (4 * table.Length)));
        VmbusClient.Words(table).CopyTo(setting, 40);
        Key.AsSpan(0, keySize).CopyTo(setting.AsSpan(40 + (4 * table.Length)));
        return setting;
    }
}
