using NicHost.Contracts.Frames;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Tests.Stack;

public sealed class PingTests
{
    [Theory]
    [InlineData("10.0.0.2", 56, int.MaxValue)]
    [InlineData("10.0.0.2", 1472, 100)]
    [InlineData("10.0.0.2", 8000, int.MaxValue)]
    [InlineData("fd00::2", 56, 60)]
    [InlineData("fd00::2", 8000, 333)]
    public void Ping_of_any_size_comes_back_intact(string target, int size, int split)
    {
        using var pair = new WirePair(split: split);
        var sent = false;
        pair.RunUntil(() => (sent |= !sent && pair.A.Stack.SendEcho(Ip.Parse(target), 7, size)) && pair.A.Stack.LastEcho is not null);
        Assert.Equal(new EchoAnswer(Ip.Parse(target), target.Contains(':') ? (byte)129 : (byte)0, 0, 7, true), pair.A.Stack.LastEcho);
        pair.AssertNoFaults();
    }

    [Fact]
    public void Datagram_with_open_checksum_is_delivered_when_seed_is_right()
    {
        using var pair = new WirePair(OffloadSet.Checksum);
        var port = pair.B.Stack.OpenUdp(53);
        var got = "";
        port.Received = (_, from, payload) => got = $"{from} {System.Text.Encoding.ASCII.GetString(payload)}";
        var client = pair.A.Stack.OpenUdp(5000);
        var sent = false;
        pair.RunUntil(() => (sent |= !sent && pair.A.Stack.SendUdp(client, Ip.Parse("10.0.0.2"), 53, "hello"u8)) && got.Length > 0);
        Assert.Equal("5000 hello", got);
        pair.AssertNoFaults();
    }

    [Fact]
    public void Flipped_bit_is_seen_by_the_checksum()
    {
        using var pair = new WirePair();
        pair.B.Stack.OpenUdp(53);
        var client = pair.A.Stack.OpenUdp(5000);
        pair.Lose = (_, _, frame) =>
        {
            if (frame[20] == 17) frame[63] ^= 1;
            return false;
        };
        var sent = false;
        pair.RunUntil(() => (sent |= !sent && pair.A.Stack.SendUdp(client, Ip.Parse("fd00::2"), 53, "hello there"u8)) && pair.B.Stack.Faults.Total > 0);
        Assert.Contains("wrong transport checksum", pair.B.Stack.Faults.ToString(), StringComparison.Ordinal);
    }
}
