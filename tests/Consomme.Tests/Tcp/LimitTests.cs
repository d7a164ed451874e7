using System.Net.Sockets;
using NicHost.Consomme.Tcp;
using NicHost.Contracts.Diagnostics;

namespace NicHost.Consomme.Tests.Tcp;

public sealed class LimitTests
{
    [Fact]
    public void Syn_beyond_the_limit_of_half_open_connections_is_dropped_and_taken_later()
    {
        using var guest = new TcpGuest("""{ "hostLoopback": true, "limits": { "halfOpen": 4 } }""");
        for (ushort port = 1; port <= 200; port++) guest.Send(Syn(guest, port));
        Assert.Equal(4, guest.Number("halfOpen"));
        var answers = guest.ReceiveAll().Where(s => s.Flags.HasFlag(TcpFlags.Syn)).ToList();
        Assert.Equal(4, answers.Count);
        Assert.Equal(196, guest.Guest.Counters.TxDropped(DropReason.HalfOpenLimit));
        guest.Send(new Segment { FromPort = answers[0].ToPort, ToPort = guest.ServerPort, Seq = 2, Ack = answers[0].Seq + 1, Flags = TcpFlags.Ack });
        guest.Send(Syn(guest, 200));
        Assert.Equal(200, guest.Receive().ToPort);
    }

    [Fact]
    public void Flow_beyond_the_limit_is_refused()
    {
        using var guest = new TcpGuest("""{ "hostLoopback": true, "limits": { "tcpFlows": 2 } }""");
        var (_, one) = guest.Connect(port: 1);
        var (_, two) = guest.Connect(port: 2);
        guest.Send(Syn(guest, 3));
        Assert.True(guest.Receive().Is(TcpFlags.Rst | TcpFlags.Ack));
        Assert.Equal(1, guest.Guest.Counters.TxDropped(DropReason.FlowLimit));
        one.Dispose();
        two.Dispose();
    }

    [Fact]
    public void Flow_in_time_wait_gives_way_at_the_limit()
    {
        using var guest = new TcpGuest("""{ "hostLoopback": true, "limits": { "tcpFlows": 1 } }""");
        var (peer, server) = guest.Connect(port: 1);
        server.Shutdown(SocketShutdown.Send);
        peer.Receive();
        peer.SendData([], TcpFlags.Fin);
        guest.ReceiveAll();
        var (_, second) = guest.Connect(port: 2);
        Assert.Equal(1, guest.Number("closed.evicted"));
        server.Dispose();
        second.Dispose();
    }

    [Fact]
    public void Five_thousand_flows_carry_data_and_end()
    {
        const int Count = 5000;
        using var guest = new TcpGuest("""{ "hostLoopback": true, "limits": { "tcpFlows": 8000, "halfOpen": 8000 } }""");
        var flows = new List<(Peer Peer, Socket Server)>();
        for (var i = 0; i < Count; i++) flows.Add(guest.Connect(port: (ushort)(1000 + i)));
        Assert.Equal(Count, guest.Number("states.established"));
        foreach (var (peer, server) in flows)
        {
            peer.SendData(BitConverter.GetBytes(peer.Port));
            guest.ReceiveAll();
            Assert.Equal(peer.Port, BitConverter.ToUInt16(guest.ReadServer(server, 2)));
            server.Send(BitConverter.GetBytes(peer.Port));
            Assert.Equal(peer.Port, BitConverter.ToUInt16(peer.Receive().Payload));
            peer.Send(TcpFlags.Rst | TcpFlags.Ack);
            server.Dispose();
        }
        Assert.Equal(0, guest.Number("flows"));
    }

    private static Segment Syn(TcpGuest guest, ushort port) => new() { FromPort = port, ToPort = guest.ServerPort, Seq = 1, Flags = TcpFlags.Syn };
}
