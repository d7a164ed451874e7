using System.Net;
using System.Net.Sockets;
using NicHost.Consomme.Tcp;

namespace NicHost.Consomme.Tests.Tcp;

public sealed class TcpForwardTests
{
    [Fact]
    public void Client_on_the_loopback_reaches_the_guest_as_the_gateway_with_its_own_port()
    {
        using var guest = new TcpGuest(Forward(out var port));
        using var client = Connect(port);
        var (peer, syn) = Accept(guest);
        Assert.Equal(Guest.Gateway, syn.From);
        Assert.Equal(((IPEndPoint)client.LocalEndPoint!).Port, syn.FromPort);
        Assert.Equal(22, syn.ToPort);
        client.Send(Frames.Pattern(2000));
        var got = new List<byte>();
        while (got.Count < 2000) got.AddRange(peer.Receive().Payload);
        Assert.Equal(Frames.Pattern(2000), got);
        peer.SendData(Frames.Pattern(100, 7));
        Assert.Equal(Frames.Pattern(100, 7), guest.ReadServer(client, 100));
        Assert.Equal(1, guest.Number("accepted"));
    }

    [Fact]
    public void Guest_that_refuses_resets_the_client()
    {
        using var guest = new TcpGuest(Forward(out var port));
        using var client = Connect(port);
        var syn = guest.Receive();
        guest.Send(new Segment { To = syn.From, FromPort = 22, ToPort = syn.FromPort, Ack = syn.Seq + 1, Flags = TcpFlags.Rst | TcpFlags.Ack });
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => client.Receive(new byte[1])).SocketErrorCode);
        Assert.Equal(1, guest.Number("closed.guestRefused"));
    }

    [Fact]
    public void Syn_to_the_guest_is_repeated()
    {
        using var guest = new TcpGuest(Forward(out var port));
        using var client = Connect(port);
        var syn = guest.Receive();
        guest.Pass(TimeSpan.FromSeconds(1.1));
        Assert.Equal(syn.Seq, guest.Receive().Seq);
    }

    [Fact]
    public void At_the_limit_connections_wait_in_the_kernel()
    {
        using var guest = new TcpGuest(Forward(out var port, """, "limits": { "halfOpen": 1 }"""));
        using var first = Connect(port);
        using var second = Connect(port);
        var (_, syn) = Accept(guest, answer: false);
        guest.Guest.AssertSilent();
        Answer(guest, syn);
        guest.Guest.WaitUntil(() => guest.Guest.Device.Received.Count > 1, "the second connection's SYN");
        Assert.Equal((ushort)((IPEndPoint)second.LocalEndPoint!).Port, guest.ReceiveAll().Single(s => s.Is(TcpFlags.Syn)).FromPort);
    }

    [Fact]
    public void Port_in_use_is_named_with_a_remedy()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var text = $"tcp:127.0.0.1:{((IPEndPoint)taken.LocalEndPoint!).Port}-22";
        var error = Assert.Throws<IOException>(() => new TcpGuest($$"""{ "forwards": ["{{text}}"] }"""));
        Assert.Contains(text, error.Message, StringComparison.Ordinal);
        Assert.Contains("another host port", error.Message, StringComparison.Ordinal);
    }

    private static string Forward(out int port, string more = "")
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        port = ((IPEndPoint)probe.LocalEndPoint!).Port;
        return $$"""{ "forwards": ["tcp:127.0.0.1:{{port}}-22"]{{more}} }""";
    }

    private static Socket Connect(int port)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 2000 };
        client.Connect(IPAddress.Loopback, port);
        return client;
    }

    private static (Peer Peer, Segment Syn) Accept(TcpGuest guest, bool answer = true)
    {
        var syn = guest.Receive();
        Assert.True(syn.Is(TcpFlags.Syn), $"Got {syn.Flags}.");
        return (answer ? Answer(guest, syn) : new Peer(guest), syn);
    }

    private static Peer Answer(TcpGuest guest, Segment syn)
    {
        var peer = new Peer(guest) { Port = 22, ServerPort = syn.FromPort, Remote = syn.From, Next = 5000 };
        peer.Take(syn);
        peer.Send(TcpFlags.Syn | TcpFlags.Ack, options: Segment.MssOption(1460));
        peer.Next++;
        return peer;
    }
}
