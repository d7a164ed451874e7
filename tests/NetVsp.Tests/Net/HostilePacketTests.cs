using NicHost.Contracts.Diagnostics;
using NicHost.NetVsp.Tests.Rig;
using NicHost.Probe.Netvsc;

namespace NicHost.NetVsp.Tests.Net;

/// <summary>Packets that cannot be what they say: refused and counted, and the channel goes on.</summary>
public sealed class HostilePacketTests
{
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
        var section = Hostile.Header(guest, 44, 36, 1200, 1244);
        Hostile.Packet(guest, 9, section, 44, Hostile.ScatteredRanges(guest, 300));
        Assert.True(guest.Until(() => guest.Queue.Refused == 1));
        Assert.Equal(1, nic.Counters(0).TxDropped(DropReason.TooLong));
        guest.AssertEcho();
    }

    [Fact]
    public async Task Packets_of_one_number_are_each_completed()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        var (section, inFlight) = (Hostile.Header(guest, 44, 36, 60, 104), guest.Queue.InFlight);
        for (var i = 0; i < 20; i++) Hostile.Packet(guest, 6, section, 104, []);
        Assert.True(guest.Until(() => guest.Queue.InFlight == inFlight - 20));
        Assert.True(guest.Until(() => guest.Frames.Count == 20));
        Assert.Empty(nic.GuestFaults);
    }

    private static unsafe void SendBad(Guest guest, string what)
    {
        var frame = what == "tiny frame" ? 13u : 60u;
        var length = 44 + frame;
        var section = Hostile.Header(guest, 44, 36, frame, length);
        var message = guest.Driver.Send!.At(section * guest.Driver.SendSectionSize);
        switch (what)
        {
            case "section index": Hostile.Packet(guest, 6, section, (int)length, [], index: 0xffff_fff0); return;
            case "section size": Hostile.Packet(guest, 6, section, 6145, []); return;
            case "no ranges": Hostile.Packet(guest, 9, section, (int)length, VmbusClient.Words(0, 0)); return;
            case "ranges beyond": Hostile.Packet(guest, 9, section, (int)length, VmbusClient.Words(0, 50, 4, 0)); return;
            case "range outside memory": Hostile.Packet(guest, 9, section, (int)length, [.. VmbusClient.Words(0, 1, 4, 0), .. BitConverter.GetBytes(0x7_ffff_ffffUL)]); return;
            case "range offset": Hostile.Packet(guest, 9, section, (int)length, VmbusClient.Words(0, 1, 4, 4096, 0, 0)); return;
            case "range huge": Hostile.Packet(guest, 9, section, (int)length, VmbusClient.Words(0, 1, 0xffff_0000, 0, 0, 0)); return;
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
        Hostile.Packet(guest, 6, section, (int)length, []);

        void Set(int at, uint value) => *(uint*)(message + at) = value;
    }
}
