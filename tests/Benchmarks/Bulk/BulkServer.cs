using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using NicHost.Linux;

namespace NicHost.Benchmarks.Bulk;

/// <summary>
/// The far end of every measurement, plain or through the NIC: blocking sockets on the loopback, a thread per conversation. The first byte
/// of a TCP connection says what it is for: S sinks, G sends until the peer closes, E echoes; without one the connection is closed.
/// </summary>
internal sealed class BulkServer : IDisposable
{
    public const int BufferSize = 256 * 1024;

    private readonly Socket _tcp;
    private readonly Socket _udpEcho;
    private readonly Socket _udpSink;
    private readonly Socket _udpFlood;
    private long _sunk;
    private long _datagrams;

    /// <summary>Serves in the network namespace of the calling thread.</summary>
    /// <param name="address">Where; by default on the loopback.</param>
    public BulkServer(IPAddress? address = null)
    {
        Address = address ?? IPAddress.Loopback;
        _tcp = Listen(Address, 0);
        (_udpEcho, _udpSink, _udpFlood) = (Bind(Address), Bind(Address), Bind(Address));
        Start(Accept, "bulk-accept");
        Start(EchoDatagrams, "bulk-udp-echo");
        Start(SinkDatagrams, "bulk-udp-sink");
        Start(Flood, "bulk-udp-flood");
    }

    public IPAddress Address { get; }

    public ushort Tcp => Port(_tcp);

    public ushort UdpEcho => Port(_udpEcho);

    public ushort UdpSink => Port(_udpSink);

    public ushort UdpFlood => Port(_udpFlood);

    /// <summary>Bytes that sinks of TCP have taken, ever.</summary>
    public long Sunk => Interlocked.Read(ref _sunk);

    /// <summary>Datagrams that the sink has taken, ever.</summary>
    public long Datagrams => Interlocked.Read(ref _datagrams);

    /// <summary>A request for a flood of datagrams.</summary>
    public static byte[] FloodRequest(int size, TimeSpan time)
    {
        var request = new byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(request, size);
        BinaryPrimitives.WriteInt32LittleEndian(request.AsSpan(4), (int)time.TotalMilliseconds);
        return request;
    }

    public void Dispose()
    {
        _tcp.Dispose();
        _udpEcho.Dispose();
        _udpSink.Dispose();
        _udpFlood.Dispose();
    }

    private static Socket Listen(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen(512);
        return socket;
    }

    private static Socket Bind(IPAddress address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
        socket.Bind(new IPEndPoint(address, 0));
        return socket;
    }

    private static ushort Port(Socket socket) => (ushort)((IPEndPoint)socket.LocalEndPoint!).Port;

    private static void Start(Action body, string name)
    {
        new Thread(() =>
        {
            try
            {
                body();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The measurement is over, or its peer broke off.
            }
        }) { IsBackground = true, Name = name }.Start();
    }

    private void Accept()
    {
        var first = new byte[1];
        while (true)
        {
            var socket = _tcp.Accept();
            socket.NoDelay = true;
            int got;
            try
            {
                got = socket.Receive(first);
            }
            catch (SocketException)
            {
                got = 0;
            }
            if (got == 0)
            {
                socket.Dispose();
                continue;
            }
            var kind = (char)first[0];
            Start(() => Serve(socket, kind), $"bulk-{kind}");
        }
    }

    private void Serve(Socket socket, char kind)
    {
        using var owned = socket;
        var buffer = new byte[BufferSize];
        int got;
        switch (kind)
        {
            case 'S':
                while ((got = socket.Receive(buffer)) > 0) Interlocked.Add(ref _sunk, got);
                break;
            case 'G':
                while (true) socket.Send(buffer);
            case 'E':
                while ((got = socket.Receive(buffer)) > 0) socket.Send(buffer, 0, got, SocketFlags.None);
                break;
        }
    }

    private void EchoDatagrams()
    {
        var buffer = new byte[65536];
        var from = new SocketAddress(AddressFamily.InterNetwork);
        while (true)
        {
            var got = _udpEcho.ReceiveFrom(buffer, SocketFlags.None, from);
            _udpEcho.SendTo(buffer.AsSpan(0, got), SocketFlags.None, from);
        }
    }

    private void SinkDatagrams()
    {
        var buffer = new byte[65536];
        while (true)
        {
            _udpSink.Receive(buffer);
            Interlocked.Increment(ref _datagrams);
        }
    }

    private void Flood()
    {
        var buffer = new byte[65536];
        var from = new SocketAddress(AddressFamily.InterNetwork);
        while (true)
        {
            _udpFlood.ReceiveFrom(buffer, SocketFlags.None, from);
            var size = BinaryPrimitives.ReadInt32LittleEndian(buffer);
            var time = TimeSpan.FromMilliseconds(BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(4)));
            var start = Stopwatch.GetTimestamp();

            // One call for many datagrams (UDP_SEGMENT): a call for each would mostly measure how slowly a sleeping receiver wakes.
            Sockets.SetOption((int)_udpFlood.Handle, SocketLevel.Udp, UdpOption.Segment, size).OrThrow("send datagrams in bulk");
            while (Stopwatch.GetElapsedTime(start) < time)
            {
                try
                {
                    _udpFlood.SendTo(buffer.AsSpan(0, size * 32), SocketFlags.None, from);
                }
                catch (SocketException)
                {
                    // The receiver has closed its port: its measurement is over.
                    break;
                }
            }
        }
    }
}
