using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NicHost.Consomme.Core;

namespace NicHost.Consomme.Tests.Udp;

public sealed class UdpForwardTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Client_sees_its_answer_come_from_the_forwarded_port(bool v4)
    {
        var port = FreePort(v4);
        using var guest = Make(v4, port);
        using var client = new HostSocket(v4);
        // A connected client drops what comes from anywhere else.
        client.Socket.Connect(new IPEndPoint(v4 ? IPAddress.Loopback : IPAddress.IPv6Loopback, port));
        for (byte i = 0; i < 3; i++)
        {
            client.Socket.Send([i, 7]);
            var question = guest.Receive();
            Assert.Equal(new byte[] { i, 7 }, Frames.UdpPayload(question));
            var at = v4 ? 34 : 54;
            Assert.Equal((client.Port, (ushort)53), (Frames.Word(question, at), Frames.Word(question, at + 2)));
            guest.Send(Frames.Udp(Us(v4), 53, Gateway(v4), client.Port, [i, 8]));
            var buffer = new byte[10];
            Assert.Equal(2, client.Socket.Receive(buffer));
            Assert.Equal(new byte[] { i, 8 }, buffer[..2]);
        }
    }

    [Theory]
    [InlineData("127.0.0.5")]
    [InlineData("::1")]
    public void Forward_on_every_address_answers_from_the_one_that_was_asked(string address)
    {
        var v4 = address[0] == '1';
        var port = FreePort(v4);
        using var guest = new Guest(string.Create(CultureInfo.InvariantCulture, $$"""{"forwards":["udp:{{port}}-53"]}"""));
        using var client = new HostSocket(v4);
        client.Socket.Connect(new IPEndPoint(IPAddress.Parse(address), port));
        client.Socket.Send([1]);
        guest.Receive();
        guest.Send(Frames.Udp(Us(v4), 53, Gateway(v4), client.Port, [2]));
        var buffer = new byte[4];
        Assert.Equal(1, client.Socket.Receive(buffer));
        Assert.Equal(2, buffer[0]);
    }

    [Fact]
    public void Client_that_has_gone_is_told_to_the_guest()
    {
        var port = FreePort(true);
        using var guest = Make(true, port);
        ushort gone;
        using (var client = new HostSocket(true))
        {
            gone = client.Port;
            client.Send([1], new IPEndPoint(IPAddress.Loopback, port));
            guest.Receive();
        }
        guest.Send(Frames.Udp(Guest.Address, 53, Guest.Gateway, gone, [2]));
        var error = guest.Receive();
        Assert.Equal((3, 3), (error[34], error[35]));
        Assert.Equal((53, gone), (Frames.Word(error, 62), Frames.Word(error, 64)));
    }

    [Fact]
    public void Loopback_client_hides_behind_the_gateway_and_opens_nothing_else()
    {
        var port = FreePort(true);
        using var guest = Make(true, port);
        using var client = new HostSocket(true);
        using var other = new HostSocket(true);
        client.Send([1], new IPEndPoint(IPAddress.Loopback, port));
        Assert.Equal(Guest.Gateway, IpAddr.FromV4(guest.Receive().AsSpan(26)));
        // Another port of the guest, and another port of the host, are still refused.
        guest.Send(Frames.Udp(Guest.Address, 54, Guest.Gateway, client.Port, [2]));
        guest.Send(Frames.Udp(Guest.Address, 53, Guest.Gateway, other.Port, [2]));
        Assert.All(guest.Device.Received, f => Assert.Equal((1, 3, 3), (f.Bytes[23], f.Bytes[34], f.Bytes[35])));
        Assert.Equal(2, guest.Device.Received.Count);
        Assert.Equal(0, client.Socket.Available + other.Socket.Available);
    }

    [Fact]
    public void Two_clients_with_one_port_are_told_apart()
    {
        var port = FreePort(true);
        using var guest = Make(true, port);
        using var one = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        using var two = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        one.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.1"), 0));
        two.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), ((IPEndPoint)one.LocalEndPoint!).Port));
        one.SendTo([1], new IPEndPoint(IPAddress.Loopback, port));
        two.SendTo([2], new IPEndPoint(IPAddress.Loopback, port));
        var first = guest.Receive();
        var second = guest.Receive();
        Assert.NotEqual(Frames.Word(first, 34), Frames.Word(second, 34));
        guest.Send(Frames.Udp(Guest.Address, 53, Guest.Gateway, Frames.Word(second, 34), [22]));
        guest.Send(Frames.Udp(Guest.Address, 53, Guest.Gateway, Frames.Word(first, 34), [11]));
        var buffer = new byte[4];
        one.Receive(buffer);
        Assert.Equal(11, buffer[0]);
        two.Receive(buffer);
        Assert.Equal(22, buffer[0]);
    }

    [Fact]
    public void Guest_that_refuses_a_forward_lets_the_mapping_live()
    {
        var port = FreePort(true);
        using var guest = Make(true, port);
        using var client = new HostSocket(true);
        client.Send([1], new IPEndPoint(IPAddress.Loopback, port));
        var question = guest.Receive();
        byte[] unreachable = [3, 3, 0, 0, 0, 0, 0, 0, .. question.AsSpan(14, 28)];
        Frames.Complete(unreachable, Guest.Address, Guest.Gateway);
        guest.Send(Frames.Ip(Guest.Address, Guest.Gateway, 1, unreachable)).AssertSilent();
    }

    [Fact]
    public void Forward_to_a_port_that_is_taken_is_refused_with_the_remedy()
    {
        using var taken = new HostSocket(true);
        var e = Assert.Throws<IOException>(() => Make(true, taken.Port));
        Assert.Contains($"udp:127.0.0.1:{taken.Port}-53", e.Message, StringComparison.Ordinal);
        Assert.Contains("another host port", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_to_ipv6_finds_the_address_that_the_guest_made_itself()
    {
        var port = FreePort(false);
        using var guest = Make(false, port);
        var made = IpAddr.From(IPAddress.Parse("fd00:10:0:2:5054:ff:fe12:3456"));
        guest.Send(Frames.Echo(made, Guest.Gateway6, 1, 1, [])).Receive();
        using var client = new HostSocket(false);
        client.Send([1], new IPEndPoint(IPAddress.IPv6Loopback, port));
        Assert.Equal(made, IpAddr.FromV6(guest.Receive().AsSpan(38)));
    }

    private static IpAddr Us(bool v4) => v4 ? Guest.Address : Guest.Address6;

    private static IpAddr Gateway(bool v4) => v4 ? Guest.Gateway : Guest.Gateway6;

    private static Guest Make(bool v4, ushort port) => new(string.Create(
        CultureInfo.InvariantCulture, $$"""{"forwards":["udp:{{(v4 ? "127.0.0.1" : "[::1]")}}:{{port}}-53"]}"""));

    private static ushort FreePort(bool v4)
    {
        using var probe = new HostSocket(v4);
        return probe.Port;
    }
}
