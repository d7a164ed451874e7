using NicHost.Consomme.Tcp;

namespace NicHost.Consomme.Tests.Tcp;

public sealed class RetransmitTests
{
    private const int Mss = 1460;

    [Fact]
    public void Syn_ack_is_repeated_and_the_connection_given_up()
    {
        using var guest = new TcpGuest();
        guest.Send(new Segment { ToPort = guest.ServerPort, Seq = 1, Flags = TcpFlags.Syn });
        var first = guest.Receive();
        guest.Pass(TimeSpan.FromSeconds(1.1));
        Assert.Equal(first.Seq, guest.Receive().Seq);
        for (var i = 0; i < 200 && guest.Number("flows") > 0; i++) guest.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(1, guest.Number("closed.handshakeTimeout"));
        Assert.Contains(guest.ReceiveAll(), s => s.Flags.HasFlag(TcpFlags.Rst));
        Assert.Equal(0, guest.Number("halfOpen"));
    }

    [Fact]
    public void Data_that_is_not_acknowledged_comes_again_and_slower_each_time()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        server.Send(Frames.Pattern(500));
        var first = guest.Receive();
        var gaps = new List<int>();
        for (int wait = 0, times = 0; times < 3; wait += 20)
        {
            guest.Pass(TimeSpan.FromMilliseconds(20));
            foreach (var again in guest.ReceiveAll())
            {
                Assert.Equal(first.Seq, again.Seq);
                Assert.Equal(first.Payload, again.Payload);
                gaps.Add(wait);
                (wait, times) = (0, times + 1);
            }
        }
        Assert.True(gaps[1] > gaps[0] * 3 / 2 && gaps[2] > gaps[1] * 3 / 2, string.Join(", ", gaps));
        peer.Take(first);
        peer.Send(TcpFlags.Ack);
        Assert.Equal(0, guest.FlowNumber("inFlight"));
        server.Dispose();
    }

    [Fact]
    public void Guest_that_never_acknowledges_is_given_up_on_both_sides()
    {
        using var guest = new TcpGuest();
        var (_, server) = guest.Connect();
        server.Send(Frames.Pattern(500));
        guest.Receive();
        for (var i = 0; i < 800 && guest.Number("flows") > 0; i++)
        {
            guest.Pass(TimeSpan.FromSeconds(1));
            guest.ReceiveAll();
        }
        Assert.Equal(1, guest.Number("closed.retransmitTimeout"));
        Assert.Throws<System.Net.Sockets.SocketException>(() => server.Receive(new byte[1]));
        server.Dispose();
    }

    [Fact]
    public void Three_duplicate_acknowledgements_bring_the_missing_segment_at_once()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        var sent = SendAll(guest, server, Mss * 6);
        for (var i = 0; i < 3; i++) peer.Send(TcpFlags.Ack, ack: sent[0].Seq);
        var again = guest.ReceiveAll();
        Assert.Equal(sent[0].Seq, again[0].Seq);
        Assert.Equal(sent[0].Payload, again[0].Payload);
        peer.Send(TcpFlags.Ack, ack: sent[^1].Seq + sent[^1].Length);
        Assert.Equal(0, guest.FlowNumber("inFlight"));
        server.Dispose();
    }

    [Fact]
    public void Sack_brings_only_what_is_missing()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(options: [.. Segment.MssOption(Mss), .. Segment.SackPermittedOption]);
        var sent = SendAll(guest, server, Mss * 8);
        Assert.Equal(8, sent.Count);
        // The second and the fifth are lost.
        var una = sent[1].Seq;
        peer.Send(TcpFlags.Ack, ack: una, options: Segment.SackOption((sent[2].Seq, sent[3].Seq)));
        peer.Send(TcpFlags.Ack, ack: una, options: Segment.SackOption((sent[2].Seq, sent[4].Seq)));
        peer.Send(TcpFlags.Ack, ack: una, options: Segment.SackOption((sent[5].Seq, sent[6].Seq), (sent[2].Seq, sent[4].Seq)));
        peer.Send(TcpFlags.Ack, ack: una, options: Segment.SackOption((sent[5].Seq, sent[7].Seq + Mss), (sent[2].Seq, sent[4].Seq)));
        var again = guest.ReceiveAll();
        Assert.All(again, s => Assert.Contains(s.Seq, new[] { sent[1].Seq, sent[4].Seq }));
        Assert.Contains(again, s => s.Seq == sent[1].Seq && s.Payload.AsSpan().SequenceEqual(sent[1].Payload));
        Assert.Equal(Mss, again.Max(s => s.Payload.Length));
        peer.Send(TcpFlags.Ack, ack: sent[4].Seq, options: Segment.SackOption((sent[5].Seq, sent[7].Seq + Mss)));
        again.AddRange(guest.ReceiveAll());
        Assert.Contains(again, s => s.Seq == sent[4].Seq && s.Payload.AsSpan().SequenceEqual(sent[4].Payload));
        server.Dispose();
    }

    [Fact]
    public void Window_of_zero_is_probed_and_used_when_it_opens()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        peer.Send(TcpFlags.Ack, window: 0);
        server.Send(Frames.Pattern(3000));
        guest.Guest.AssertSilent();
        for (var i = 0; i < 6; i++)
        {
            Segment? probe = null;
            for (var wait = 0; probe is null && wait < 4000; wait++)
            {
                guest.Pass(TimeSpan.FromMilliseconds(20));
                probe = guest.ReceiveAll().FirstOrDefault();
            }
            Assert.NotNull(probe);
            Assert.Empty(probe.Payload);
            Assert.Equal(peer.Expected - 1, probe.Seq);
            peer.Send(TcpFlags.Ack, window: 0);
        }
        peer.Send(TcpFlags.Ack);
        var got = new List<byte>();
        while (got.Count < 3000) got.AddRange(peer.Receive().Payload);
        Assert.Equal(Frames.Pattern(3000), got);
        server.Dispose();
    }

    [Fact]
    public void Guest_without_buffers_gets_everything_later()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        guest.Guest.Device.Withheld = int.MaxValue / 2;
        server.Send(Frames.Pattern(5000));
        guest.Guest.AssertSilent();
        guest.Guest.Device.Withheld = 0;
        guest.Guest.Queue.ReceiveReady();
        var got = new List<byte>();
        while (got.Count < 5000) got.AddRange(peer.Receive().Payload);
        Assert.Equal(Frames.Pattern(5000), got);
        server.Dispose();
    }

    [Fact]
    public void Idle_guest_is_probed_and_ended_when_it_is_gone()
    {
        using var guest = new TcpGuest("""{ "hostLoopback": true, "limits": { "tcpIdleSeconds": 60 } }""");
        var (peer, server) = guest.Connect();
        guest.Pass(TimeSpan.FromSeconds(61));
        var probe = Assert.Single(guest.ReceiveAll());
        Assert.Equal(peer.Expected - 1, probe.Seq);
        peer.Send(TcpFlags.Ack);
        guest.Pass(TimeSpan.FromSeconds(30));
        Assert.Empty(guest.ReceiveAll());
        for (var i = 0; i < 60 && guest.Number("flows") > 0; i++) guest.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal(1, guest.Number("closed.idleTimeout"));
        server.Dispose();
    }

    private static List<Segment> SendAll(TcpGuest guest, System.Net.Sockets.Socket server, int length)
    {
        server.Send(Frames.Pattern(length));
        var all = new List<Segment>();
        guest.Guest.WaitUntil(() =>
        {
            all.AddRange(guest.ReceiveAll());
            return all.Sum(s => s.Payload.Length) == length;
        }, "all data");
        return all;
    }
}
