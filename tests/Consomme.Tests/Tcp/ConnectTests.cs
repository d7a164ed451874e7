using System.Net.Sockets;
using NicHost.Consomme.Tcp;
using NicHost.Contracts.Frames;

namespace NicHost.Consomme.Tests.Tcp;

public sealed class ConnectTests
{
    private static byte[] AllOptions => [.. Segment.MssOption(1460), .. Segment.SackPermittedOption, .. Segment.TimestampOption(7, 0), .. Segment.ScaleOption(7)];

    [Fact]
    public void Syn_to_a_listening_port_is_answered_with_the_options_offered()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(options: AllOptions);
        Assert.Equal([5, 180], peer.SynAck.Option(2));
        Assert.Equal([8], peer.SynAck.Option(3));
        Assert.NotNull(peer.SynAck.Option(4));
        Assert.Equal([0, 0, 0, 7], peer.SynAck.Option(8)![4..]);
        Assert.Equal(1, guest.Number("states.established"));
        server.Dispose();
    }

    [Fact]
    public void Syn_without_options_gets_only_a_segment_size()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        Assert.NotNull(peer.SynAck.Option(2));
        Assert.Null(peer.SynAck.Option(3));
        Assert.Null(peer.SynAck.Option(4));
        Assert.Null(peer.SynAck.Option(8));
        server.Dispose();
    }

    [Fact]
    public void Closed_port_is_refused_with_a_reset_for_the_syn()
    {
        using var guest = new TcpGuest();
        var port = guest.ServerPort;
        guest.Listener.Close();
        guest.Send(new Segment { ToPort = port, Seq = 77, Flags = TcpFlags.Syn, Options = AllOptions });
        var answer = guest.Receive();
        Assert.True(answer.Is(TcpFlags.Rst | TcpFlags.Ack));
        Assert.Equal(78u, answer.Ack);
        Assert.Equal(0, guest.Number("flows"));
        Assert.Equal(1, guest.Number("closed.connectRefused"));
    }

    [Fact]
    public void Data_flows_both_ways_unchanged()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        peer.SendData(Frames.Pattern(1000, 3));
        Assert.Equal(peer.Next, guest.Receive().Ack);
        Assert.Equal(Frames.Pattern(1000, 3), guest.ReadServer(server, 1000));

        server.Send(Frames.Pattern(3000, 9));
        var got = new List<byte>();
        while (got.Count < 3000) got.AddRange(peer.Receive().Payload);
        Assert.Equal(Frames.Pattern(3000, 9), got);
        peer.Send(TcpFlags.Ack);
        Assert.Equal(0, guest.FlowNumber("inFlight"));
        server.Dispose();
    }

    [Fact]
    public void Super_frames_carry_data_when_the_guest_takes_them()
    {
        using var guest = new TcpGuest(accepted: OffloadSet.Checksum | OffloadSet.TsoV4);
        var (peer, server) = guest.Connect(options: AllOptions, window: 65535);
        server.Send(Frames.Pattern(60000));
        var got = new List<byte>();
        var largest = 0;
        while (got.Count < 60000)
        {
            var segment = peer.Receive();
            largest = Math.Max(largest, segment.Payload.Length);
            if (segment.Payload.Length > 1448)
            {
                Assert.Equal(GsoKind.TcpV4, segment.Offload.Gso);
                Assert.Equal(1448, segment.Offload.SegmentSize);
            }
            got.AddRange(segment.Payload);
            peer.Send(TcpFlags.Ack, options: Segment.TimestampOption(8, 0), window: 65535);
        }
        Assert.Equal(Frames.Pattern(60000), got);
        Assert.True(largest > 10000, $"The largest frame had {largest} bytes.");
        server.Dispose();
    }

    [Fact]
    public void Guest_that_closes_first_ends_in_nothing_left()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        peer.SendData(Frames.Pattern(10), TcpFlags.Fin);
        Assert.Equal(peer.Next, guest.Receive().Ack);
        Assert.Equal(10, guest.ReadServer(server, 10).Length);
        Assert.Equal(0, server.Receive(new byte[1]));
        // The host still sends: half-closed.
        server.Send(Frames.Pattern(20));
        Assert.Equal(Frames.Pattern(20), peer.Receive().Payload);
        server.Shutdown(SocketShutdown.Send);
        var fin = peer.Receive();
        Assert.True(fin.Is(TcpFlags.Fin | TcpFlags.Ack));
        peer.Send(TcpFlags.Ack);
        Assert.Equal(0, guest.Number("flows"));
        Assert.Equal(1, guest.Number("closed.normal"));
        server.Dispose();
    }

    [Fact]
    public void Host_that_closes_first_ends_in_time_wait()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        server.Send(Frames.Pattern(20));
        server.Shutdown(SocketShutdown.Send);
        var got = peer.Receive();
        Assert.Equal(Frames.Pattern(20), got.Payload);
        if (!got.Is(TcpFlags.Fin | TcpFlags.Ack)) Assert.True(peer.Receive().Is(TcpFlags.Fin | TcpFlags.Ack));
        peer.SendData(Frames.Pattern(30));
        Assert.Equal(Frames.Pattern(30), guest.ReadServer(server, 30));
        Assert.Equal(peer.Next, guest.ReceiveAll()[^1].Ack);
        peer.Send(TcpFlags.Fin | TcpFlags.Ack);
        peer.Next++;
        Assert.Equal(peer.Next, guest.Receive().Ack);
        Assert.Equal(0, server.Receive(new byte[1]));
        Assert.Equal(1, guest.Number("states.timeWait"));
        guest.Pass(TimeSpan.FromSeconds(61));
        Assert.Equal(0, guest.Number("flows"));
        server.Dispose();
    }
}
