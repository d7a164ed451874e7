using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NicHost.Consomme.Tcp;
using NicHost.Consomme.Tests.Tcp;

namespace NicHost.Consomme.Tests.Forwards;

/// <summary>Both ends of a forwarded TCP connection: a client of the host, and the guest's answer to it.</summary>
internal static class ForwardClient
{
    /// <summary>Options with one forward, of a free port to the guest's 22.</summary>
    public static string Options(out int port, string more = "")
    {
        port = FreePort();
        return string.Create(CultureInfo.InvariantCulture, $$"""{ "forwards": ["tcp:127.0.0.1:{{port}}-22"]{{more}} }""");
    }

    /// <summary>
    /// A port of the host that nobody has, by TCP and UDP, in both IP versions: below those that the kernel gives to whoever connects, so
    /// that it stays free while a test closes and opens it.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(10_000, 32_000);
            using var tcp = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
            using var udp = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
            try
            {
                tcp.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
                udp.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // The next one, then.
            }
        }
    }

    public static Socket Connect(int port, IPAddress? address = null)
    {
        var to = address ?? IPAddress.Loopback;
        var client = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 2000 };
        client.Connect(to, port);
        return client;
    }

    /// <summary>Whether somebody listens.</summary>
    public static bool Listens(int port, IPAddress? address = null)
    {
        try
        {
            Connect(port, address).Dispose();
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return false;
        }
    }

    public static (Peer Peer, Segment Syn) Accept(TcpGuest guest, bool answer = true)
    {
        var syn = guest.Receive();
        Assert.True(syn.Is(TcpFlags.Syn), $"Got {syn.Flags}.");
        return (answer ? Answer(guest, syn) : new Peer(guest), syn);
    }

    public static Peer Answer(TcpGuest guest, Segment syn)
    {
        var peer = new Peer(guest) { Port = syn.ToPort, ServerPort = syn.FromPort, Remote = syn.From, Local = syn.To, Next = 5000 };
        peer.Take(syn);
        peer.Send(TcpFlags.Syn | TcpFlags.Ack, options: Segment.MssOption(1460));
        peer.Next++;
        Assert.True(guest.Receive().Is(TcpFlags.Ack));
        return peer;
    }

    /// <summary>Bytes in both directions arrive.</summary>
    public static void AssertPasses(TcpGuest guest, Peer peer, Socket client)
    {
        client.Send(Frames.Pattern(50));
        Segment segment;
        do segment = peer.Receive();
        while (segment.Payload.Length == 0);
        Assert.Equal(Frames.Pattern(50), segment.Payload);
        peer.SendData(Frames.Pattern(60, 7));
        Assert.Equal(Frames.Pattern(60, 7), guest.ReadServer(client, 60));
    }
}
