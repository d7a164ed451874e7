using System.Buffers.Binary;
using NicHost.NetVsp.Tests.Rig;
using NicHost.Testing;

namespace NicHost.NetVsp.Tests.Net;

/// <summary>RSS settings that make no sense, and cards that have no use for any.</summary>
public sealed class ScalingTests
{
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

    [Fact]
    public async Task Card_of_one_channel_takes_a_table_that_names_it_only_and_grants_no_subchannels()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        Assert.NotEqual(0u, guest.Driver.Tune(0x0001_0204, Scaling.Setting([0, 1])));
        Assert.Equal(0u, guest.Driver.Tune(0x0001_0204, Scaling.Setting([0, 0])));
        // Failure, none granted.
        Assert.Equal([133u, 2u, 0u], Words(guest.Driver.Request(133, 1, 3)).Take(3));
        var (frame, _) = TestFrames.TcpSuperFrame(v4: true, 100, 1400);
        Assert.True(guest.Send(frame));
        Assert.Equal(frame, guest.Next()?.Bytes);
        Assert.Empty(nic.GuestFaults);

        static IEnumerable<uint> Words(byte[] bytes) => bytes.Chunk(4).Select(b => BinaryPrimitives.ReadUInt32LittleEndian(b));
    }
}
