using System.Net;
using System.Net.Sockets;
using NicHost.Consomme.Tcp;
using NicHost.Consomme.Tests.Forwards;

namespace NicHost.Consomme.Tests.Tcp;

public sealed class TcpForwardTests
{
    [Fact]
    public void Client_on_the_loopback_reaches_the_guest_as_the_gateway_with_its_own_port()
    {
        using var guest = new TcpGuest(ForwardClient.Options(out var port));
        using var client = ForwardClient.Connect(port);
        var (peer, syn) = ForwardClient.Accept(guest);
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
        using var guest = new TcpGuest(ForwardClient.Options(out var port));
        using var client = ForwardClient.Connect(port);
        var syn = guest.Receive();
        guest.Send(new Segment { To = syn.From, FromPort = 22, ToPort = syn.FromPort, Ack = syn.Seq + 1, Flags = TcpFlags.Rst | TcpFlags.Ack });
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => client.Receive(new byte[1])).SocketErrorCode);
        Assert.Equal(1, guest.Number("closed.guestRefused"));
    }

    [Fact]
    public void Syn_to_the_guest_is_repeated()
    {
        using var guest = new TcpGuest(ForwardClient.Options(out var port));
        using var client = ForwardClient.Connect(port);
        var syn = guest.Receive();
        guest.Pass(TimeSpan.FromSeconds(1.1));
        Assert.Equal(syn.Seq, guest.Receive().Seq);
    }

    [Fact]
    public void At_the_limit_connections_wait_in_the_kernel()
    {
        using var guest = new TcpGuest(ForwardClient.Options(out var port, """, "limits": { "halfOpen": 1 }"""));
        using var first = ForwardClient.Connect(port);
        using var second = ForwardClient.Connect(port);
        var (_, syn) = ForwardClient.Accept(guest, answer: false);
        guest.Guest.AssertSilent();
        ForwardClient.Answer(guest, syn);
        guest.Guest.WaitUntil(() => guest.Guest.Device.Received.Count > 0, "the second connection's SYN");
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
}
