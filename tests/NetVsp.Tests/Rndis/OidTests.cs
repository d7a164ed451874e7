using System.Buffers.Binary;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.NetVsp.Tests.Rig;
using NicHost.Probe.Netvsc;
using NicHost.Testing;

namespace NicHost.NetVsp.Tests.Rndis;

/// <summary>What a guest asks for and sets, over the channel.</summary>
public sealed class OidTests
{
    // Information, length, and where one number is all there is, that number.
    public static TheoryData<uint, int, uint?> Lengths() => new()
    {
        { 0x0001_0102, 4, 0u }, { 0x0001_0103, 4, 0u }, { 0x0001_0104, 4, 0u }, { 0x0001_0105, 4, 1500u }, { 0x0001_0106, 4, 1500u },
        { 0x0001_0107, 4, 100_000_000u }, { 0x0001_010A, 4, 1514u }, { 0x0001_010B, 4, 1514u }, { 0x0001_010C, 4, null }, { 0x0001_010E, 4, 0x20u },
        { 0x0001_010F, 4, 1500u }, { 0x0001_0110, 4, null }, { 0x0001_0111, 4, 1514u }, { 0x0001_0113, 4, null }, { 0x0001_0114, 4, 0u }, { 0x0001_0115, 4, null },
        { 0x0001_0116, 4, null }, { 0x0001_0202, 4, 0u }, { 0x0001_0203, 18, null }, { 0x0001_0206, 16, null }, { 0x0001_0207, 40, null },
        { 0x0002_0101, 4, null }, { 0x0002_0102, 4, null }, { 0x0002_0106, 152, null }, { 0x0002_0219, 4, null }, { 0x0101_0101, 6, null }, { 0x0101_0102, 6, null },
        { 0x0101_0103, 0, null }, { 0x0101_0104, 4, 64u }, { 0x0101_010A, 28, null }, { 0x0102_0101, 4, 0u }, { 0xFC01_020B, 156, null }, { 0xFC01_020D, 156, null },
    };

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task Answer_has_exactly_the_length_that_drivers_want(uint oid, int length, uint? value)
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Start(bench);
        var answer = guest.Driver.Ask(oid);
        Assert.Equal(length, answer?.Length);
        if (value is { } number) Assert.Equal(number, BinaryPrimitives.ReadUInt32LittleEndian(answer));
    }

    [Fact]
    public async Task Unknown_information_is_not_supported_and_the_card_goes_on()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        foreach (var oid in new uint[] { 0, 0x0001_0112, 0xFD01_0100, 0xffff_ffff })
        {
            Assert.Null(guest.Driver.Ask(oid));
            Assert.Equal(0xC000_00BBu, guest.Driver.Tune(oid, [1, 2, 3, 4]));
        }
        var list = guest.Driver.Ask(0x0001_0101)!;
        for (var i = 0; i < list.Length; i += 4)
        {
            var oid = BinaryPrimitives.ReadUInt32LittleEndian(list.AsSpan(i));
            // Each that is listed can be asked for or set.
            Assert.True(guest.Driver.Ask(oid) is not null || guest.Driver.Tune(oid, []) != 0xC000_00BB, $"0x{oid:x}");
        }
        Assert.Empty(nic.GuestFaults);
    }

    [Theory]
    [InlineData(0x60001u, 156)]
    [InlineData(0x50000u, 156)]
    [InlineData(0x40000u, 144)]
    [InlineData(0x2u, 144)]
    public async Task Offload_capabilities_have_the_length_of_the_guests_ndis(uint nvsp, int length)
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { NvspVersions = [nvsp] });
        var answer = guest.Driver.Ask(0xFC01_020D)!;
        Assert.Equal((length, 0xA7, length), (answer.Length, answer[0], BinaryPrimitives.ReadUInt16LittleEndian(answer.AsSpan(2))));
        Assert.Equal(nvsp == 0x60001, guest.Driver.RxOffloads.HasFlag(OffloadSet.TsoV4));
        guest.AssertEcho();
    }

    [Fact]
    public async Task Statistics_are_the_true_ones()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        for (var i = 0; i < 7; i++) guest.AssertEcho(100);
        Assert.True(SpinWait.SpinUntil(() => nic.Counters(0).RxFrames == 7, 3000));
        Assert.Equal(7u, Number(0x0002_0101));
        Assert.Equal(7u, Number(0x0002_0102));
        Assert.Equal(700u, Number(0x0002_0219));
        Assert.Equal(700u, Number(0x0002_021A));
        // Room for eight bytes gets eight.
        Assert.Equal(8, guest.Driver.Ask(0x0002_0101, new byte[8])!.Length);
        var all = guest.Driver.Ask(0x0002_0106)!;
        Assert.Equal((700L, 7L), (BinaryPrimitives.ReadInt64LittleEndian(all.AsSpan(24)), BinaryPrimitives.ReadInt64LittleEndian(all.AsSpan(32))));

        uint Number(uint oid) => BinaryPrimitives.ReadUInt32LittleEndian(guest.Driver.Ask(oid));
    }

    [Fact]
    public async Task Filter_lets_through_what_it_names()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        var (mine, other, broadcast, group) = ("52:54:00:12:34:56", "52:54:00:99:99:99", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:05");
        Check(0x1, [mine], [other, broadcast, group]);
        Check(0x9, [mine, broadcast], [other, group]);
        Check(0xd, [mine, broadcast, group], [other]);
        Check(0x20, [mine, broadcast, group, other], []);
        Assert.Equal(0u, guest.Driver.Tune(0x0101_0103, Bytes(group)));
        Assert.Equal(6, guest.Driver.Ask(0x0101_0103)!.Length);
        Check(0x3, [mine, group], [other, broadcast, "01:00:5e:00:00:06"]);
        Assert.NotEqual(0u, guest.Driver.Tune(0x0101_0103, new byte[7]));
        Assert.NotEqual(0u, guest.Driver.Tune(0x0101_0103, new byte[65 * 6]));
        Assert.True(nic.Counters(0).RxDropped(DropReason.NotForUs) > 0);

        void Check(uint filter, string[] through, string[] not)
        {
            guest.Driver.SetFilter(filter);
            foreach (var to in not) guest.Send(To(to));
            foreach (var to in through)
            {
                guest.Send(To(to));
                Assert.Equal(To(to), guest.Next()?.Bytes);
            }
        }
    }

    [Fact]
    public async Task Address_that_the_guest_chooses_counts()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { Filter = 0 });
        Assert.Equal(0u, guest.Driver.Tune(0x0001_021B, Parameter("NetworkAddress", "020000000077")));
        Assert.Equal(Bytes("02:00:00:00:00:77"), guest.Driver.Ask(0x0101_0102));
        Assert.Equal(Bytes("52:54:00:12:34:56"), guest.Driver.Ask(0x0101_0101));
        guest.Driver.SetFilter(1);
        guest.Send(To("52:54:00:12:34:56"));
        guest.Send(To("02:00:00:00:00:77"));
        Assert.Equal(To("02:00:00:00:00:77"), guest.Next()?.Bytes);
        foreach (var bad in new[] { Parameter("NetworkAddress", "01005e000001"), Parameter("NetworkAddress", "xyz"), Parameter("Speed", "1"), new byte[19], [.. VmbusClient.Words(0xffff, 0xffff, 2, 0xffff_ffff, 24)] })
            Assert.NotEqual(0u, guest.Driver.Tune(0x0001_021B, bad));
    }

    [Fact]
    public async Task Link_is_told_and_asked_for()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        await nic.SetLinkAsync(LinkState.Down);
        Assert.True(guest.Until(() => !guest.Driver.LinkIsUp));
        Assert.Equal(1u, BinaryPrimitives.ReadUInt32LittleEndian(guest.Driver.Ask(0x0001_0114)));
        Assert.Equal(2u, BinaryPrimitives.ReadUInt32LittleEndian(guest.Driver.Ask(0x0001_0207).AsSpan(4)));
        await nic.SetLinkAsync(new LinkState(true, 25_000));
        Assert.True(guest.Until(() => guest.Driver.LinkIsUp));
        Assert.Equal(250_000_000u, BinaryPrimitives.ReadUInt32LittleEndian(guest.Driver.Ask(0x0001_0107)));
        Assert.Contains(0x4001_0013u, guest.Driver.Indications);
    }

    [Fact]
    public async Task Reset_keepalive_and_halt_are_answered_as_they_should()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        Assert.Equal(0u, BinaryPrimitives.ReadUInt32LittleEndian(guest.Driver.Control(8, []).AsSpan(12)));
        guest.Driver.Post(VmbusClient.Words(6, 12, 0));
        Assert.NotNull(guest.Driver.Await(() => guest.Driver.TakeAnswer(0)));
        Assert.Equal(0u, BinaryPrimitives.ReadUInt32LittleEndian(guest.Driver.Ask(0x0001_010E)));
        guest.Driver.SetFilter(0x20);
        guest.AssertEcho();
        // After a halt nothing passes until it is initialized anew.
        guest.Driver.Control(3, [], answerType: 0);
        guest.Send(TestFrames.Plain(100, 1));
        Assert.True(guest.Until(() => guest.Queue.Refused == 1));
        guest.Driver.Initialize();
        guest.Driver.SetFilter(0x20);
        guest.AssertEcho();
        Assert.Empty(nic.GuestFaults);
    }

    private static byte[] To(string mac)
    {
        var frame = TestFrames.Plain(80, 3);
        Bytes(mac).CopyTo(frame, 0);
        return frame;
    }

    private static byte[] Bytes(string mac) => Convert.FromHexString(mac.Replace(":", "", StringComparison.Ordinal));

    private static byte[] Parameter(string name, string value)
    {
        var (n, v) = (System.Text.Encoding.Unicode.GetBytes(name), System.Text.Encoding.Unicode.GetBytes(value));
        return [.. VmbusClient.Words(20, (uint)n.Length, 2, 20 + (uint)n.Length, (uint)v.Length), .. n, .. v];
    }
}
