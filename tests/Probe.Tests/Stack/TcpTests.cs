using NicHost.Contracts.Frames;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Tests.Stack;

public sealed class TcpTests
{
    private const OffloadSet Super = OffloadSet.Checksum | OffloadSet.TsoV4 | OffloadSet.TsoV6;

    [Theory]
    [InlineData("10.0.0.2", OffloadSet.None, 1500, int.MaxValue)]
    [InlineData("10.0.0.2", Super, 1500, 4096)]
    [InlineData("10.0.0.2", OffloadSet.Checksum, 65520, 2048)]
    [InlineData("fd00::2", Super, 1500, 4084)]
    [InlineData("fd00::2", OffloadSet.None, 1280, 90)]
    public void Stream_arrives_whole_in_both_directions(string target, OffloadSet offloads, int mtu, int split)
    {
        using var pair = new WirePair(offloads, mtu, split);
        var (client, server) = Transfer(pair, target, 3_000_000, 2_000_000);
        Assert.Equal(0, client.Retransmissions + server.Retransmissions);
        Assert.Equal(offloads == Super, pair.A.SuperFrames > 0);
        pair.AssertNoFaults();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Stream_survives_loss_in_both_directions(int seed)
    {
        var random = new Random(seed);
        using var pair = new WirePair();
        pair.Lose = (_, _, _) => random.Next(100) < 3;
        var (client, server) = Transfer(pair, "10.0.0.2", 300_000, 200_000, 600_000);
        Assert.True(client.Retransmissions + server.Retransmissions > 0, $"seed {seed} lost nothing");
    }

    [Theory]
    [InlineData(OffloadSet.None, 1500, int.MaxValue)]
    [InlineData(Super, 1500, 4096)]
    public void Segments_that_overtake_each_other_are_put_in_order_and_not_sent_again(OffloadSet offloads, int mtu, int split)
    {
        using var pair = new WirePair(offloads, mtu, split);
        // Never the last of what is in flight: nothing would overtake it.
        pair.Late = (from, number) => from == pair.A && number % 5 == 3 && number < 60;
        var (client, server) = Transfer(pair, "10.0.0.2", 3_000_000, 0);
        Assert.True(server.OutOfOrder > 5, $"{server.OutOfOrder} came early");
        Assert.Equal(0, client.Retransmissions);
        pair.AssertNoFaults();
    }

    [Fact]
    public void Closed_window_is_probed_until_it_opens()
    {
        using var pair = new WirePair();
        var sink = new CountingSink(verify: true) { Room = 0 };
        TcpConnection? server = null;
        pair.B.Stack.Accepted = c => server = c;
        pair.B.Stack.Listen(80, (_, _) => (new PatternSource(Pattern(pair), 0) { Finished = false }, sink));
        var client = pair.A.Stack.Connect(Ip.Parse("10.0.0.2"), 80, new PatternSource(Pattern(pair), 5000), new CountingSink());
        pair.RunUntil(() => server?.State == TcpState.Established);
        pair.RunUntil(() => pair.A.Stack.NowMs > 20_000, 30_000);
        Assert.Equal(0, sink.Bytes);
        Assert.True(client.IsOpen);

        // The window's update is lost: only a probe can find out.
        sink.Room = CountingSink.Window;
        pair.RunUntil(() => sink.Bytes == 5000, 70_000);
        Assert.Equal(0, sink.Wrong);
        pair.AssertNoFaults();
    }

    [Fact]
    public void Closed_port_refuses_at_once()
    {
        using var pair = new WirePair();
        var client = pair.A.Stack.Connect(Ip.Parse("fd00::2"), 81, new PatternSource(Pattern(pair), 10), new CountingSink());
        pair.RunUntil(() => client.State == TcpState.Closed, 100);
        Assert.True(client.WasReset);
        pair.AssertNoFaults();
    }

    [Fact]
    public void Aborted_connection_resets_its_peer()
    {
        using var pair = new WirePair();
        TcpConnection? server = null;
        pair.B.Stack.Accepted = c => server = c;
        pair.B.Stack.Listen(80, (_, _) => (new PatternSource(Pattern(pair), 0) { Finished = false }, new CountingSink()));
        var client = pair.A.Stack.Connect(Ip.Parse("10.0.0.2"), 80, new PatternSource(Pattern(pair), 10) { Finished = false }, new CountingSink());
        pair.RunUntil(() => server?.Received == 10);
        client.Abort();
        pair.RunUntil(() => server!.State == TcpState.Closed, 100);
        Assert.True(server!.WasReset);
        Assert.Equal(0, pair.A.Stack.ConnectionCount + pair.B.Stack.ConnectionCount);
    }

    [Fact]
    public void Half_closed_connection_still_receives()
    {
        using var pair = new WirePair();
        var source = new BufferSource(pair.Ram);
        var sink = new CountingSink();
        TcpConnection? server = null;
        pair.B.Stack.Accepted = c => server = c;
        pair.B.Stack.Listen(80, (_, _) => (source, new CountingSink()));
        var client = pair.A.Stack.Connect(Ip.Parse("10.0.0.2"), 80, new PatternSource(Pattern(pair), 0), sink);
        pair.RunUntil(() => client.State == TcpState.FinWait2);
        source.Write("still here"u8);
        source.Finish();
        server!.Touch();
        pair.RunUntil(() => client.State == TcpState.Closed && server.State == TcpState.Closed);
        Assert.Equal(10, sink.Bytes);
        Assert.Null(client.Error);
        Assert.Null(server.Error);
        pair.AssertNoFaults();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Options_of_one_side_bind_both(bool timestamps, bool scale)
    {
        using var pair = new WirePair();
        var options = new TcpOptions { Timestamps = timestamps, WindowScale = scale ? 8 : null };
        var (client, server) = Transfer(pair, "10.0.0.2", 200_000, 200_000, options: options);
        Assert.Equal(timestamps, client.HasTimestamps && server.HasTimestamps);
        Assert.Equal(scale, server.PeerWindow > 65535);
        pair.AssertNoFaults();
    }

    private static PatternSource Pattern(WirePair pair) => new(pair.Ram);

    private static (TcpConnection Client, TcpConnection Server) Transfer(
        WirePair pair, string target, long up, long down, int milliseconds = 5000, TcpOptions? options = null)
    {
        var pattern = Pattern(pair);
        var atServer = new CountingSink(verify: true);
        var atClient = new CountingSink(verify: true);
        TcpConnection? server = null;
        pair.B.Stack.Accepted = c => server = c;
        pair.B.Stack.Listen(80, (_, _) => (new PatternSource(pattern, down), atServer));
        var client = pair.A.Stack.Connect(Ip.Parse(target), 80, new PatternSource(pattern, up), atClient, options);
        pair.RunUntil(() => client.State == TcpState.Closed && server?.State == TcpState.Closed, milliseconds);
        Assert.Equal((up, down), (atServer.Bytes, atClient.Bytes));
        Assert.Equal(0, atServer.Wrong + atClient.Wrong);
        return (client, server!);
    }
}
