using System.Net;
using System.Net.Sockets;

namespace NicHost.Fuzz.Targets;

/// <summary>TCP and UDP echo on loopback: at port 7 in a namespace of our own, else anywhere. Served by hand, never waiting.</summary>
internal sealed class EchoService : IDisposable
{
    private readonly List<Socket> _connections = [];
    private readonly Socket _tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket[] _udp = [new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp), new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp)];
    private readonly byte[] _buffer = new byte[65536];

    /// <param name="port">0 for any.</param>
    public EchoService(int port = 7)
    {
        _tcp.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _tcp.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _tcp.Listen(64);
        _udp[0].Bind(new IPEndPoint(IPAddress.Loopback, port));
        _udp[1].Bind(new IPEndPoint(IPAddress.IPv6Loopback, port));
    }

    public ushort TcpPort => (ushort)((IPEndPoint)_tcp.LocalEndPoint!).Port;

    public ushort UdpPort => (ushort)((IPEndPoint)_udp[0].LocalEndPoint!).Port;

    public void Serve()
    {
        while (_tcp.Poll(0, SelectMode.SelectRead)) _connections.Add(_tcp.Accept());
        for (var i = _connections.Count - 1; i >= 0; i--)
        {
            if (Echo(_connections[i])) continue;
            _connections[i].Dispose();
            _connections.RemoveAt(i);
        }
        foreach (var socket in _udp)
        {
            for (var left = 64; left > 0 && socket.Poll(0, SelectMode.SelectRead); left--) Answer(socket);
        }
    }

    /// <summary>Ends what earlier inputs left.</summary>
    public void Reset()
    {
        Serve();
        foreach (var connection in _connections) connection.Dispose();
        _connections.Clear();
    }

    public void Dispose()
    {
        Reset();
        _tcp.Dispose();
        foreach (var socket in _udp) socket.Dispose();
    }

    private bool Echo(Socket connection)
    {
        try
        {
            if (!connection.Poll(0, SelectMode.SelectRead)) return true;
            var got = connection.Receive(_buffer);
            if (got > 0) connection.Send(_buffer, got, SocketFlags.None);
            return got > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Answer(Socket socket)
    {
        EndPoint from = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        try
        {
            var got = socket.ReceiveFrom(_buffer, ref from);
            socket.SendTo(_buffer, got, SocketFlags.None, from);
        }
        catch (SocketException)
        {
            // The other end is gone.
        }
    }
}
