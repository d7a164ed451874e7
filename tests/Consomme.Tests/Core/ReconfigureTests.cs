using System.Globalization;
using System.Net;
using NicHost.Consomme.Core;
using NicHost.Consomme.Tcp;
using NicHost.Consomme.Tests.Dns;
using NicHost.Consomme.Tests.Tcp;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Nics;

namespace NicHost.Consomme.Tests.Core;

/// <summary>Options that change while flows go on; forwards have tests of their own.</summary>
public sealed class ReconfigureTests
{
    [Theory]
    [InlineData("""{"hostLoopback":true,"hostname":"a","forwards":["tcp:2222-22"],"limits":{"tcpFlows":1},"dns":{"domain":"a.test"}}""", true)]
    [InlineData("""{"subnet":"10.0.2.0/24","ipv6":true,"ipv6Prefix":"fd00:10:0:2::/64"}""", true)]
    [InlineData("""{"subnet":"10.0.3.0/24"}""", false)]
    [InlineData("""{"subnet":"10.0.2.0/25"}""", false)]
    [InlineData("""{"ipv6":false}""", false)]
    [InlineData("""{"ipv6Prefix":"fd00:10:0:3::/64"}""", false)]
    public void Only_what_leaves_the_guests_network_as_it_is_can_change(string options, bool can)
    {
        using var guest = new Guest();
        var wanted = guest.Running with { Options = System.Text.Json.JsonDocument.Parse(options).RootElement };
        Assert.Equal(can, new ConsommeFactory().CanReconfigure(guest.Running, wanted));
    }

    [Fact]
    public void Mac_and_mtu_cannot_change()
    {
        using var guest = new Guest();
        var factory = new ConsommeFactory();
        Assert.False(factory.CanReconfigure(guest.Running, guest.Running with { Mtu = 1400 }));
        Assert.False(factory.CanReconfigure(guest.Running, guest.Running with { Mac = new MacAddress([2, 0, 0, 0, 0, 9]) }));
    }

    [Fact]
    public void Host_loopback_turned_off_leaves_connections_and_refuses_new_ones()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect(port: 1);
        guest.Guest.Reconfigure("{}");
        peer.SendData(Frames.Pattern(20));
        Assert.Equal(Frames.Pattern(20), guest.ReadServer(server, 20));
        server.Send(Frames.Pattern(30));
        Assert.Equal(Frames.Pattern(30), NextData(guest, peer));
        guest.Send(new Segment { FromPort = 2, ToPort = guest.ServerPort, Seq = 1, Flags = TcpFlags.Syn });
        Assert.True(guest.Receive().Is(TcpFlags.Rst | TcpFlags.Ack));
        guest.Guest.Reconfigure("""{"hostLoopback":true}""");
        guest.Connect(port: 3).Server.Dispose();
        server.Dispose();
    }

    [Fact]
    public void Host_loopback_turned_off_holds_for_the_next_datagram()
    {
        using var guest = new Guest("""{"hostLoopback":true}""");
        using var host = new HostSocket(true);
        guest.Send(Frames.Udp(Guest.Address, 5000, Guest.Gateway, host.Port, [1]));
        var from = host.Receive([1]);
        guest.Reconfigure("{}");
        var error = guest.Send(Frames.Udp(Guest.Address, 5000, Guest.Gateway, host.Port, [2])).Receive();
        Assert.Equal((3, 3), (error[34], error[35]));
        host.Send([3], from);
        guest.WaitUntil(() => guest.Counters.RxDropped(DropReason.NotForUs) == 1, "the host's datagram to be dropped");
        Assert.Equal(0, host.Socket.Available);
    }

    [Fact]
    public void Lower_limit_of_tcp_flows_ends_none_and_lets_none_begin_until_there_is_room()
    {
        using var guest = new TcpGuest();
        var flows = Enumerable.Range(1, 4).Select(i => guest.Connect(port: (ushort)i)).ToList();
        guest.Guest.Reconfigure("""{"hostLoopback":true,"limits":{"tcpFlows":2}}""");
        Assert.Equal(4, guest.Number("flows"));
        for (var i = 0; i < 3; i++)
        {
            Assert.True(Refused((ushort)(100 + i)));
            flows[i].Peer.SendData([1]);
            guest.ReadServer(flows[i].Server, 1);
            guest.ReceiveAll();
            flows[i].Peer.Send(TcpFlags.Rst | TcpFlags.Ack);
        }
        Assert.False(Refused(200));
        foreach (var (_, server) in flows) server.Dispose();

        bool Refused(ushort port)
        {
            guest.Send(new Segment { FromPort = port, ToPort = guest.ServerPort, Seq = 1, Flags = TcpFlags.Syn });
            return guest.Receive().Flags.HasFlag(TcpFlags.Rst);
        }
    }

    [Fact]
    public void Connections_in_time_wait_give_way_until_a_lower_limit_has_room()
    {
        using var guest = new TcpGuest();
        for (ushort port = 1; port <= 3; port++)
        {
            var (peer, server) = guest.Connect(port: port);
            server.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            peer.Receive();
            peer.SendData([], TcpFlags.Fin);
            guest.ReceiveAll();
            server.Dispose();
        }
        guest.Guest.Reconfigure("""{"hostLoopback":true,"limits":{"tcpFlows":2}}""");
        guest.Connect(port: 9).Server.Dispose();
        Assert.Equal((2, 2), (guest.Number("flows"), guest.Number("closed.evicted")));
    }

    [Fact]
    public void Lower_limit_of_udp_flows_ends_none_and_lets_none_begin_until_there_is_room()
    {
        string With(int limit) => $$"""{"hostLoopback":true,"limits":{"udpFlows":{{limit}},"udpIdleSeconds":100} }""";
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using var guest = new Guest(With(100), time: time);
        using var host = new HostSocket(true);
        for (ushort port = 1; port <= 5; port++) Send(port);
        guest.Reconfigure(With(3));
        Send(6);
        Assert.Equal((5, 1), (guest.Number("udp.flows"), guest.Counters.TxDropped(DropReason.FlowLimit)));
        // Three stay in use, two time out: at the limit, as ever, the one idle longest gives way.
        for (var i = 0; i < 3; i++)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            for (ushort port = 1; port <= 3; port++) Send(port);
        }
        Assert.Equal(3, guest.Number("udp.flows"));
        Send(7);
        Assert.Equal((3, 1), (guest.Number("udp.flows"), guest.Number("udp.evicted")));
        Assert.Equal(5 + 9 + 1, Drain());

        void Send(ushort port)
        {
            guest.Loop.RunUntilIdle();
            guest.Send(Frames.Udp(Guest.Address, port, Guest.Gateway, host.Port, [1]));
        }

        int Drain()
        {
            var count = 0;
            for (; host.Socket.Available > 0; count++) host.ReceiveAny();
            return count;
        }
    }

    [Fact]
    public void Client_of_a_forward_beyond_a_lower_limit_is_dropped_with_the_reason()
    {
        string With(int limit) => string.Create(CultureInfo.InvariantCulture, $$"""{"limits":{"udpFlows":{{limit}}},"forwards":["udp:127.0.0.1:{{_port}}-53"]}""");
        using var guest = new Guest(With(100));
        var clients = Enumerable.Range(0, 4).Select(_ => new HostSocket(true)).ToList();
        foreach (var client in clients.Take(3)) client.Send([1], new IPEndPoint(IPAddress.Loopback, _port));
        for (var i = 0; i < 3; i++) guest.Receive();
        guest.Reconfigure(With(2));
        clients[3].Send([1], new IPEndPoint(IPAddress.Loopback, _port));
        guest.WaitUntil(() => guest.Counters.RxDropped(DropReason.FlowLimit) == 1, "the newcomer to be dropped");
        clients[0].Send([2], new IPEndPoint(IPAddress.Loopback, _port));
        Assert.Equal([2], Frames.UdpPayload(guest.Receive()));
        clients.ForEach(c => c.Dispose());
    }

    [Fact]
    public void Shorter_idle_time_of_udp_flows_holds_at_once()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using var guest = new Guest("""{"hostLoopback":true}""", time: time);
        using var host = new HostSocket(true);
        guest.Send(Frames.Udp(Guest.Address, 1, Guest.Gateway, host.Port, [1]));
        time.Advance(TimeSpan.FromSeconds(10));
        guest.Reconfigure("""{"hostLoopback":true,"limits":{"udpIdleSeconds":80}}""");
        Assert.Equal(1, guest.Number("udp.flows"));
        time.Advance(TimeSpan.FromSeconds(11));
        guest.Loop.RunUntilIdle();
        Assert.Equal(0, guest.Number("udp.flows"));
    }

    [Fact]
    public void Shorter_idle_time_of_tcp_flows_holds_at_once()
    {
        using var guest = new TcpGuest();
        var (_, server) = guest.Connect();
        guest.Pass(TimeSpan.FromSeconds(50));
        guest.Guest.Reconfigure("""{"hostLoopback":true,"limits":{"tcpIdleSeconds":60}}""");
        Assert.Empty(guest.ReceiveAll());
        guest.Pass(TimeSpan.FromSeconds(11));
        // A probe: an old number, without data.
        Assert.True(Assert.Single(guest.ReceiveAll()).Is(TcpFlags.Ack));
        server.Dispose();
    }

    [Fact]
    public void Limit_of_questions_holds_for_the_next_one()
    {
        using var dead = new FakeDnsServer(_ => null);
        string With(int limit) => $$"""{"dns":{"servers":["{{dead.Text}}"]},"limits":{"dnsQueries":{{limit}} } }""";
        using var guest = new Guest(With(100));
        for (ushort i = 0; i < 5; i++) Ask(i);
        guest.Reconfigure(With(3));
        Assert.Equal(5, guest.Number("dns.inFlight"));
        Ask(9);
        Assert.Equal((5, 1), (guest.Number("dns.inFlight"), guest.Counters.TxDropped(DropReason.DnsLimit)));

        void Ask(ushort id) => guest.Send(Frames.Udp(Guest.Address, (ushort)(4000 + id), Guest.Dns, 53, DnsText.Question($"n{id}.example.org", 1, id)));
    }

    [NamespaceFact]
    public void Limit_of_pings_holds_for_the_next_one() => NetWorld.Run(() =>
    {
        using var guest = new Guest();
        var to = IpAddr.From(IPAddress.Parse("198.51.100.1"));
        guest.Send(Frames.Echo(Guest.Address, to, 1, 1, [])).Receive();
        guest.Reconfigure("""{"limits":{"echoFlows":0}}""");
        guest.Send(Frames.Echo(Guest.Address, to, 2, 1, []));
        Assert.Equal(1, guest.Counters.TxDropped(DropReason.FlowLimit));
        guest.Send(Frames.Echo(Guest.Address, to, 1, 2, [])).Receive();
        guest.Reconfigure("{}");
        guest.Send(Frames.Echo(Guest.Address, to, 2, 1, [])).Receive();
    });

    private readonly int _port = Forwards.ForwardClient.FreePort();

    private static byte[] NextData(TcpGuest guest, Peer peer)
    {
        while (true)
        {
            var segment = peer.Receive();
            if (segment.Payload.Length > 0) return segment.Payload;
            Assert.False(segment.Flags.HasFlag(TcpFlags.Rst));
        }
    }
}
