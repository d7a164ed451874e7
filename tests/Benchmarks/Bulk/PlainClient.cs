using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace NicHost.Benchmarks.Bulk;

/// <summary>The yardstick: blocking sockets in the network namespace of the calling thread.</summary>
internal sealed class PlainClient(BulkServer server) : IBulkClient
{
    private readonly byte[] _buffer = new byte[BulkServer.BufferSize];

    public double TcpUp(TimeSpan time)
    {
        using var socket = Open('S');
        return Rate(time, server, () => socket.Send(_buffer));
    }

    public double TcpDown(TimeSpan time)
    {
        using var socket = Open('G');
        var start = Stopwatch.GetTimestamp();
        long bytes = 0;
        while (Stopwatch.GetElapsedTime(start) < time) bytes += socket.Receive(_buffer);
        return bytes / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public double TcpRoundTrips(TimeSpan time)
    {
        using var socket = Open('E');
        return Count(time, () =>
        {
            socket.Send(_buffer, 1, SocketFlags.None);
            socket.Receive(_buffer);
        });
    }

    public double Connects(TimeSpan time)
    {
        var to = new IPEndPoint(server.Address, server.Tcp);
        return Count(time, () =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(to);
            socket.Shutdown(SocketShutdown.Send);
            while (socket.Receive(_buffer) > 0)
            {
                // Until the server has closed, too.
            }
        });
    }

    public double UdpUp(TimeSpan time, int size)
    {
        using var socket = Udp(server.UdpSink);
        var before = server.Datagrams;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            for (var i = 0; i < 16; i++) socket.Send(_buffer, size, SocketFlags.None);
        }
        return (server.Datagrams - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public double UdpDown(TimeSpan time, int size)
    {
        using var socket = Udp(server.UdpFlood);
        socket.Send(BulkServer.FloodRequest(size, time));
        var start = Stopwatch.GetTimestamp();
        long count = 0;
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            try
            {
                socket.Receive(_buffer);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.TimedOut)
            {
                break;
            }
            count++;
        }
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public double UdpRoundTrips(TimeSpan time)
    {
        using var socket = Udp(server.UdpEcho);
        return Count(time, () =>
        {
            socket.Send(_buffer, 1, SocketFlags.None);
            socket.Receive(_buffer);
        });
    }

    private static double Count(TimeSpan time, Action once)
    {
        var start = Stopwatch.GetTimestamp();
        long count = 0;
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            once();
            count++;
        }
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Rate(TimeSpan time, BulkServer server, Action send)
    {
        var before = server.Sunk;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time) send();
        return (server.Sunk - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private Socket Open(char kind)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(server.Address, server.Tcp);
        _buffer[0] = (byte)kind;
        socket.Send(_buffer, 1, SocketFlags.None);
        return socket;
    }

    private Socket Udp(ushort port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20, ReceiveTimeout = 500 };
        socket.Connect(server.Address, port);
        return socket;
    }
}
