using NicHost.Consomme.Tcp;

namespace NicHost.Consomme.Tests.Tcp;

public sealed class WindowTests
{
    private static byte[] Options => [.. Segment.MssOption(1460), .. Segment.ScaleOption(7)];

    [Fact]
    public void Host_that_does_not_read_closes_the_window_and_loses_nothing()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(options: Options);
        var sent = new List<byte>();
        var edge = peer.Next + (uint)peer.SynAck.Window;
        var random = new Random(1);
        // As much as the window allows, until it is shut.
        for (var shut = 0; shut < 20;)
        {
            var room = Math.Min((int)(edge - peer.Next), 1460 * 20);
            shut = room == 0 ? shut + 1 : 0;
            var frames = new List<byte[]>();
            for (var left = room; left > 0; left -= 1460)
            {
                var payload = new byte[Math.Min(left, 1460)];
                random.NextBytes(payload);
                sent.AddRange(payload);
                frames.Add(peer.Make(TcpFlags.Ack, payload).ToFrame());
                peer.Next += (uint)payload.Length;
            }
            guest.Guest.Send(frames);
            foreach (var answer in guest.ReceiveAll()) edge = answer.Ack + ((uint)answer.Window << 8);
        }
        Assert.True(sent.Count > 100_000, $"Only {sent.Count} bytes were taken.");
        // A probe of the shut window is answered.
        peer.Send(TcpFlags.Ack, [1]);
        var taken = guest.Receive().Ack - peer.Next;
        // The scale hides up to 255 bytes of room.
        Assert.InRange(taken, 0u, 1u);
        if (taken == 1) sent.Add(1);
        // The host reads: the window opens by itself.
        Assert.Equal(sent, guest.ReadServer(server, sent.Count));
        guest.Guest.WaitUntil(() => guest.ReceiveAll().Any(s => s.Window > 0), "a window update");
        server.Dispose();
    }

    [Fact]
    public void Small_segments_up_to_the_edge_are_all_kept()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(options: Options);
        var sent = new List<byte>();
        var edge = peer.Next + (uint)peer.SynAck.Window;
        for (var turn = 0; turn < 3000; turn++)
        {
            // Always right up to the edge, in small odd pieces: the worst for the kernel's accounting.
            var payload = new byte[Math.Min((int)(edge - peer.Next), 701)];
            if (payload.Length == 0) break;
            new Random(turn).NextBytes(payload);
            sent.AddRange(payload);
            peer.SendData(payload);
            var answers = guest.ReceiveAll();
            Assert.All(answers, a => Assert.Equal(peer.Next, a.Ack));
            edge = answers[^1].Ack + ((uint)answers[^1].Window << 8);
        }
        Assert.Equal(sent, guest.ReadServer(server, sent.Count));
        server.Dispose();
    }

    [Fact]
    public void Text_beyond_a_hole_is_reported_and_delivered_when_the_hole_is_filled()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(options: [.. Options, .. Segment.SackPermittedOption]);
        var data = Frames.Pattern(3000);
        peer.Send(TcpFlags.Ack, data[1000..2000], seq: peer.Next + 1000);
        var answer = guest.Receive();
        Assert.Equal(peer.Next, answer.Ack);
        Assert.Equal(Segment.SackOption((peer.Next + 1000, peer.Next + 2000))[4..], answer.Option(TcpOptionKind.Sack));
        peer.Send(TcpFlags.Ack, data[2500..], seq: peer.Next + 2500);
        Assert.Equal(Segment.SackOption((peer.Next + 2500, peer.Next + 3000), (peer.Next + 1000, peer.Next + 2000))[4..],
            guest.Receive().Option(TcpOptionKind.Sack));
        Assert.Equal(0, server.Available);
        peer.Send(TcpFlags.Ack, data[..1200]);
        Assert.Equal(peer.Next + 2000, guest.Receive().Ack);
        peer.Send(TcpFlags.Ack, data[1900..2600], seq: peer.Next + 1900);
        var last = guest.Receive();
        Assert.Equal(peer.Next + 3000, last.Ack);
        Assert.Null(last.Option(TcpOptionKind.Sack));
        Assert.Equal(data, guest.ReadServer(server, 3000));
        server.Dispose();
    }

    [Fact]
    public void One_batch_is_acknowledged_once()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(options: Options);
        var frames = new List<byte[]>();
        for (var i = 0; i < 30; i++)
        {
            frames.Add(peer.Make(TcpFlags.Ack, Frames.Pattern(1460, i)).ToFrame());
            peer.Next += 1460;
        }
        guest.Guest.Send(frames);
        Assert.Equal(peer.Next, Assert.Single(guest.ReceiveAll()).Ack);
        Assert.Equal(30 * 1460, guest.ReadServer(server, 30 * 1460).Length);
        server.Dispose();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(9)]
    public void Mixed_segments_of_several_flows_reach_their_hosts(int count)
    {
        using var guest = new TcpGuest();
        var flows = Enumerable.Range(0, count).Select(i => guest.Connect(port: (ushort)(100 + i), options: Options)).ToArray();
        var frames = new List<byte[]>();
        for (var i = 0; i < 6 * count; i++)
        {
            var (peer, _) = flows[i % count];
            frames.Add(peer.Make(TcpFlags.Ack, Frames.Pattern(900, i)).ToFrame());
            peer.Next += 900;
        }
        guest.Guest.Send(frames);
        var answers = guest.ReceiveAll();
        Assert.Equal(count, answers.Count);
        for (var f = 0; f < count; f++)
        {
            var (peer, server) = flows[f];
            Assert.Contains(answers, a => a.ToPort == peer.Port && a.Ack == peer.Next);
            Assert.Equal(Enumerable.Range(0, 6).SelectMany(i => Frames.Pattern(900, (i * count) + f)), guest.ReadServer(server, 5400));
            server.Dispose();
        }
    }

    [Fact]
    public void Acknowledgement_rides_on_the_answer_once_that_is_the_habit()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(options: Options);
        for (var i = 0; i < 12; i++)
        {
            peer.SendData([(byte)i]);
            var early = guest.ReceiveAll();
            Assert.Equal(i < 4 ? 1 : 0, early.Count);
            guest.ReadServer(server, 1);
            server.Send([(byte)i]);
            var answer = peer.Receive();
            Assert.Equal(peer.Next, answer.Ack);
            peer.Send(TcpFlags.Ack);
        }
        // No answer: the acknowledgement comes alone, soon.
        peer.SendData([99]);
        Assert.Empty(guest.ReceiveAll());
        guest.Pass(TimeSpan.FromMilliseconds(40));
        Assert.Equal(peer.Next, Assert.Single(guest.ReceiveAll()).Ack);
        // And the habit is over.
        peer.SendData([100]);
        Assert.Equal(peer.Next, Assert.Single(guest.ReceiveAll()).Ack);
        server.Dispose();
    }

    [Theory]
    [InlineData(1500, 1460)]
    [InlineData(65520, 65480)]
    [InlineData(576, 536)]
    public void Segment_size_follows_the_mtu(int mtu, int mss)
    {
        using var guest = new TcpGuest(mtu: mtu);
        var (peer, server) = guest.Connect(options: Segment.MssOption(65495));
        Assert.Equal([(byte)(mss >> 8), (byte)mss], peer.SynAck.Option(TcpOptionKind.MaxSegment)!);
        server.Dispose();
    }
}
