using NicHost.Consomme.Tcp;

namespace NicHost.Consomme.Tests.Tcp;

/// <summary>Segments that no honest guest sends.</summary>
public sealed class HostileTests(Xunit.Abstractions.ITestOutputHelper output)
{
    [Fact]
    public void Options_of_any_bytes_are_survived()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var guest = new TcpGuest();
        for (var i = 0; i < 3000; i++)
        {
            var options = new byte[random.Next(11) * 4];
            random.NextBytes(options);
            if (options.Length > 1 && random.Next(2) == 0) (options[0], options[1]) = ((byte)random.Next(9), (byte)random.Next(40));
            guest.Send(new Segment
            {
                FromPort = (ushort)(1 + random.Next(30)),
                ToPort = guest.ServerPort,
                Seq = (uint)random.NextInt64(uint.MaxValue),
                Ack = (uint)random.NextInt64(uint.MaxValue),
                Flags = (TcpFlags)random.Next(256),
                Window = (ushort)random.Next(65536),
                Options = options,
                Payload = new byte[random.Next(100)],
            });
            if (i % 100 == 0) Drain(guest);
        }
        guest.ReceiveAll();
        guest.Pass(TimeSpan.FromMinutes(5));
        Assert.True(guest.Number("flows") <= 30);
    }

    [Fact]
    public void Noise_around_a_connection_does_not_get_into_its_stream()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(isn: uint.MaxValue - 20_000, options: [.. Segment.MssOption(1460), .. Segment.ScaleOption(7), .. Segment.SackPermittedOption]);
        var sent = new List<byte>();
        for (var i = 0; i < 400; i++)
        {
            for (var j = random.Next(4); j > 0; j--)
            {
                // Never right in place, nor ahead inside the window: that would be the guest's own data.
                var seq = peer.Next + (uint)(random.Next(2) == 0 ? random.Next(20_000_000, int.MaxValue) : -random.Next(2000, 100_000));
                var flags = (TcpFlags)random.Next(64) | TcpFlags.Ack;
                peer.Send(flags, new byte[random.Next(1400)], seq: seq, ack: random.Next(2) == 0 ? peer.Expected : (uint)random.NextInt64(uint.MaxValue));
            }
            var data = Frames.Pattern(random.Next(1, 1400), i);
            sent.AddRange(data);
            peer.SendData(data);
            Drain(guest);
        }
        Assert.Equal(sent, guest.ReadServer(server, sent.Count));
        Assert.Equal(1, guest.Number("states.established"));
        server.Dispose();
    }

    [Fact]
    public void Smallest_segment_size_is_bounded()
    {
        using var guest = new TcpGuest();
        var (_, server) = guest.Connect(options: Segment.MssOption(1));
        server.Send(Frames.Pattern(200));
        Assert.True(guest.Receive().Payload.Length >= 64);
        server.Dispose();
    }

    [Fact]
    public void Sack_of_what_was_never_sent_is_ignored()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(options: [.. Segment.MssOption(1460), .. Segment.SackPermittedOption]);
        server.Send(Frames.Pattern(1000));
        var got = guest.Receive();
        for (var i = 0; i < 5; i++) peer.Send(TcpFlags.Ack, ack: got.Seq, options: Segment.SackOption((got.Seq + 5000, got.Seq + 9000), (got.Seq + 7, got.Seq + 3)));
        Assert.Equal(0, guest.FlowNumber("sackRanges"));
        peer.Take(got);
        peer.Send(TcpFlags.Ack);
        Assert.Equal(0, guest.FlowNumber("inFlight"));
        server.Dispose();
    }

    private static void Drain(TcpGuest guest)
    {
        guest.Guest.Loop.RunUntilIdle();
        guest.Guest.Device.Received.Clear();
        while (guest.Listener.Poll(0, System.Net.Sockets.SelectMode.SelectRead)) guest.Listener.Accept().Dispose();
    }
}
