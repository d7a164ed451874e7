using System.Net;
using System.Net.Sockets;

namespace NicHost.Consomme.Tests;

/// <summary>A UDP socket on the host's loopback, with timeouts.</summary>
internal sealed class HostSocket : IDisposable
{
    public HostSocket(bool v4, ushort port = 0)
    {
        var address = v4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        Socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        Socket.Bind(new IPEndPoint(address, port));
        Port = (ushort)((IPEndPoint)Socket.LocalEndPoint!).Port;
    }

    public Socket Socket { get; }

    public ushort Port { get; }

    /// <summary>Receives a datagram, which must be this one.</summary>
    public IPEndPoint Receive(byte[] expected)
    {
        var (payload, from) = ReceiveAny();
        Assert.Equal(expected, payload);
        return from;
    }

    public (byte[] Payload, IPEndPoint From) ReceiveAny()
    {
        var buffer = new byte[65536];
        EndPoint from = new IPEndPoint(Socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        var length = Socket.ReceiveFrom(buffer, ref from);
        return (buffer[..length], (IPEndPoint)from);
    }

    public void Send(byte[] payload, EndPoint to) => Socket.SendTo(payload, to);

    public void Dispose() => Socket.Dispose();
}
