using System.Net;
using NicHost.Consomme.Core;
using NicHost.Consomme.Tcp;
using NicHost.Contracts.Diagnostics;

namespace NicHost.Consomme.Tests.Tcp;

/// <summary>Where a guest may connect to. Nothing here leaves this process.</summary>
public sealed class TcpDestinationTests
{
    [Fact]
    public void Gateway_without_host_loopback_refuses_like_a_host_without_services()
    {
        using var guest = new TcpGuest("{}");
        guest.Send(new Segment { ToPort = guest.ServerPort, Seq = 9, Flags = TcpFlags.Syn });
        var answer = guest.Receive();
        Assert.True(answer.Is(TcpFlags.Rst | TcpFlags.Ack));
        Assert.Equal(10u, answer.Ack);
        Assert.False(guest.Listener.Poll(0, System.Net.Sockets.SelectMode.SelectRead));
    }

    [Fact]
    public void Address_of_the_network_that_nobody_has_is_unreachable()
    {
        using var guest = new TcpGuest();
        guest.Guest.Send(new Segment { To = IpAddr.From(IPAddress.Parse("10.0.2.77")), ToPort = 80, Flags = TcpFlags.Syn }.ToFrame());
        var frame = guest.Guest.Receive();
        Assert.Equal(1, frame[23]);
        Assert.Equal((3, 1), (frame[34], frame[35]));
        Assert.Equal(0, guest.Number("flows"));
    }

    [Fact]
    public void Loopback_address_of_the_host_is_never_reached_directly()
    {
        using var guest = new TcpGuest();
        guest.Guest.Send(new Segment { To = IpAddr.From(IPAddress.Loopback), ToPort = guest.ServerPort, Flags = TcpFlags.Syn }.ToFrame());
        guest.Guest.Loop.RunUntilIdle();
        Assert.False(guest.Listener.Poll(0, System.Net.Sockets.SelectMode.SelectRead));
        Assert.Equal(1, Enum.GetValues<DropReason>().Sum(guest.Guest.Counters.TxDropped));
    }

    [Fact]
    public void Host_loopback_over_ipv6_carries_data()
    {
        using var listener = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetworkV6, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        listener.Listen();
        using var guest = new TcpGuest();
        var peer = new Peer(guest)
        {
            Port = 5, ServerPort = (ushort)((IPEndPoint)listener.LocalEndPoint!).Port, Local = Guest.Address6, Remote = Guest.Gateway6, Next = 1,
        };
        peer.Send(TcpFlags.Syn, options: Segment.MssOption(1440));
        peer.Next++;
        peer.SynAck = peer.Take(guest.Receive());
        Assert.Equal([5, 160], peer.SynAck.Option(2)!);
        peer.Send(TcpFlags.Ack);
        using var server = listener.Accept();
        peer.SendData(Frames.Pattern(500));
        Assert.Equal(Frames.Pattern(500), guest.ReadServer(server, 500));
        guest.ReceiveAll();
        server.Send(Frames.Pattern(700));
        Assert.Equal(Frames.Pattern(700), peer.Receive().Payload);
    }
}
