using System.Net;
using System.Net.Sockets;
using NicHost.Consomme.Tcp;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;

namespace NicHost.Consomme.Tests.Tcp;

/// <summary>What other user-mode NATs got wrong, as far as no other test here says it; docs/openvmm-defects.md has the list.</summary>
public sealed class PitfallTests
{
    private static byte[] Options => [.. Segment.MssOption(1460), .. Segment.ScaleOption(7)];

    [Fact]
    public void Connection_survives_a_guest_that_resets_and_keeps_what_comes_meanwhile()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        guest.Guest.CloseQueue();
        server.Send(Frames.Pattern(500));
        guest.Guest.Loop.RunUntilIdle();
        Assert.Empty(guest.Guest.Device.Received);
        guest.Guest.ReopenQueue();
        guest.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(Frames.Pattern(500), guest.ReceiveAll().First(s => s.Payload.Length > 0).Payload);
        peer.Expected += 500;
        peer.SendData(Frames.Pattern(300, 3));
        Assert.Equal(Frames.Pattern(300, 3), guest.ReadServer(server, 300));
        server.Dispose();
    }

    [Fact]
    public void Sixteen_holes_are_kept_and_what_lies_beyond_is_taken_again()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(options: Options);
        var data = Frames.Pattern(41 * 500);
        for (var i = 1; i < 41; i += 2) Piece(i);
        Assert.Equal(0, server.Available);
        Assert.Equal(4, guest.Guest.Counters.TxDropped(DropReason.QueueFull));
        for (var i = 0; i < 41; i += 2) Piece(i);
        Assert.Equal(peer.Next + (33 * 500), guest.ReceiveAll()[^1].Ack);
        for (var i = 33; i < 41; i += 2) Piece(i);
        Assert.Equal(peer.Next + (uint)data.Length, guest.ReceiveAll()[^1].Ack);
        Assert.Equal(data, guest.ReadServer(server, data.Length));
        server.Dispose();

        void Piece(int i) => peer.Send(TcpFlags.Ack, data[(i * 500)..((i + 1) * 500)], seq: peer.Next + ((uint)i * 500));
    }

    [Fact]
    public void Scale_beyond_14_counts_as_14()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(options: [.. Segment.MssOption(1460), .. Segment.ScaleOption(200)]);
        peer.Send(TcpFlags.Ack, window: 1);
        server.SendBufferSize = 1 << 20;
        server.Send(new byte[400_000]);
        var largest = 0L;
        for (var total = 0L; total < 400_000;)
        {
            guest.Guest.WaitUntil(() => guest.Guest.Device.Received.Count > 0, "data");
            var flight = 0L;
            foreach (var segment in guest.ReceiveAll())
            {
                peer.Take(segment);
                flight += segment.Payload.Length;
            }
            total += flight;
            largest = Math.Max(largest, flight);
            peer.Send(TcpFlags.Ack, window: 1);
        }
        Assert.InRange(largest, 10_000, 1 << 14);
        server.Dispose();
    }

    [Fact]
    public void Window_in_a_syn_is_not_scaled()
    {
        using var guest = new TcpGuest();
        var (scaled, one) = guest.Connect(port: 1, options: Options);
        var (plain, two) = guest.Connect(port: 2);
        Assert.Equal(plain.SynAck.Window, scaled.SynAck.Window);
        one.Dispose();
        two.Dispose();
        // Nor the guest's own: 2000 is what may be sent first.
        var port = FreePort();
        using var forward = new TcpGuest(Forwards($"tcp:127.0.0.1:{port}-22"));
        using var client = Client(IPAddress.Loopback, port);
        client.Send(new byte[10_000]);
        var peer = Answer(forward, forward.Receive(), [.. Segment.MssOption(500), .. Segment.ScaleOption(7)], 2000);
        forward.Guest.WaitUntil(() => forward.Guest.Device.Received.Count > 0, "data");
        Assert.InRange(forward.ReceiveAll().Sum(s => s.Payload.Length), 1, 2000);
        Assert.Equal(22, peer.Port);
    }

    [Fact]
    public void First_numbers_cannot_be_told_from_others()
    {
        using var guest = new TcpGuest();
        using var other = new TcpGuest();
        var numbers = new List<uint>();
        for (ushort port = 1; port <= 16; port++)
        {
            var syn = new Segment { FromPort = port, ToPort = guest.ServerPort, Seq = 1, Flags = TcpFlags.Syn };
            guest.Send(syn);
            other.Send(syn);
            numbers.Add(guest.Receive().Seq);
            numbers.Add(other.Receive().Seq);
        }
        Assert.True(numbers.Select(n => n >> 16).Distinct().Count() > 24, string.Join(", ", numbers));
    }

    [Fact]
    public void Super_frame_whose_length_and_checksum_the_guest_left_open_is_taken()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        var data = Frames.Pattern(6000);
        var frame = peer.Make(TcpFlags.Ack, data).ToFrame();
        frame.AsSpan(16, 2).Clear();
        frame.AsSpan(24, 2).Clear();
        guest.Guest.Send(frame, new FrameOffload
        {
            Checksum = ChecksumState.Partial, ChecksumStart = 34, ChecksumOffset = 16, Gso = GsoKind.TcpV4, SegmentSize = 1460, HeaderLength = 54,
        });
        Assert.Equal(data, guest.ReadServer(server, data.Length));
        server.Dispose();
    }

    [Fact]
    public void One_port_of_the_guest_is_forwarded_from_both_ip_versions()
    {
        var port = FreePort();
        using var guest = new TcpGuest(Forwards($"tcp:127.0.0.1:{port}-22", $"tcp:[::1]:{port}-22"));
        using var four = Client(IPAddress.Loopback, port);
        using var six = Client(IPAddress.IPv6Loopback, port);
        var syns = new[] { guest.Receive(), guest.Receive() };
        Assert.Contains(syns, s => s.From == Guest.Gateway && s.To == Guest.Address && s.ToPort == 22);
        Assert.Contains(syns, s => !s.From.IsV4 && !s.To.IsV4 && s.ToPort == 22);
    }

    [Fact]
    public void Burst_of_clients_is_accepted_whole()
    {
        var port = FreePort();
        using var guest = new TcpGuest(Forwards($"tcp:127.0.0.1:{port}-22"));
        var clients = Enumerable.Range(0, 100).Select(_ => Client(IPAddress.Loopback, port)).ToList();
        guest.Guest.WaitUntil(() => guest.Number("accepted") == 100, "a hundred connections");
        Assert.Equal(100, guest.ReceiveAll().Select(s => s.FromPort).Distinct().Count());
        clients.ForEach(c => c.Dispose());
    }

    [Fact]
    public void Forward_can_be_bound_again_while_its_old_connections_linger()
    {
        var port = FreePort();
        using (var guest = new TcpGuest(Forwards($"tcp:127.0.0.1:{port}-22")))
        {
            using var client = Client(IPAddress.Loopback, port);
            var peer = Answer(guest, guest.Receive(), Segment.MssOption(1460), 65535);
            // The forwarded side closes first, so the kernel keeps its end of the connection in TIME_WAIT.
            peer.SendData([], TcpFlags.Fin);
            Assert.Equal(0, client.Receive(new byte[1]));
            client.Shutdown(SocketShutdown.Send);
            guest.Guest.WaitUntil(() => guest.ReceiveAll().Any(s => s.Flags.HasFlag(TcpFlags.Fin)), "the client's end");
        }
        using var again = new TcpGuest(Forwards($"tcp:127.0.0.1:{port}-22"));
        using var second = Client(IPAddress.Loopback, port);
        Assert.True(again.Receive().Is(TcpFlags.Syn));
    }

    [Fact]
    public void Listener_without_descriptors_left_waits_and_goes_on()
    {
        var port = FreePort();
        using var guest = new TcpGuest(Forwards($"tcp:127.0.0.1:{port}-22"));
        guest.Protocol.AcceptFailed(guest.Protocol.Listeners.Ports.Single(), Linux.Errno.EMFILE);
        Assert.Contains("limit on open files", Assert.Single(guest.Guest.Host.Troubles), StringComparison.Ordinal);
        using var client = Client(IPAddress.Loopback, port);
        guest.Guest.AssertSilent();
        guest.Pass(TimeSpan.FromSeconds(10));
        Assert.True(guest.Receive().Is(TcpFlags.Syn));
    }

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private static string Forwards(params string[] forwards) =>
        $$"""{ "forwards": [{{string.Join(", ", forwards.Select(f => $"\"{f}\""))}}] }""";

    private static Socket Client(IPAddress address, int port)
    {
        var client = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 2000 };
        client.Connect(address, port);
        return client;
    }

    private static Peer Answer(TcpGuest guest, Segment syn, byte[] options, ushort window)
    {
        Assert.True(syn.Is(TcpFlags.Syn), $"Got {syn.Flags}.");
        var peer = new Peer(guest) { Port = 22, ServerPort = syn.FromPort, Remote = syn.From, Next = 5000 };
        peer.Take(syn);
        peer.Send(TcpFlags.Syn | TcpFlags.Ack, options: options, window: window);
        peer.Next++;
        return peer;
    }
}
