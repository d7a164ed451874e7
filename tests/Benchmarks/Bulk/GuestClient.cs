using System.Diagnostics;
using NicHost.Probe.Driver;
using NicHost.Probe.Stack;

namespace NicHost.Benchmarks.Bulk;

/// <summary>Frames of both directions, kicks, sleeps.</summary>
internal readonly record struct GuestEffort(long Sent, long Received, long Kicks, long Sleeps);

/// <summary>The same measurements from inside a guest: the probe behind a NIC of the host.</summary>
internal sealed unsafe class GuestClient : IBulkClient, IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly BulkServer _server;
    private readonly IGuest _guest;
    private readonly PatternSource _pattern;

    /// <param name="server">The far end.</param>
    /// <param name="guest">Becomes the client's.</param>
    /// <param name="link">The guest's address and the far end's, on a network where nobody gives any; null: as DHCP says, and the far end is the router.</param>
    public GuestClient(BulkServer server, IGuest guest, (Ip Own, Ip Peer)? link = null)
    {
        _server = server;
        _guest = guest;
        _pattern = new PatternSource(_guest.Ram);
        if (link is { } addresses)
        {
            (Stack.Address4, Peer) = addresses;
            return;
        }
        using var dhcp = new Dhcp4Client(_guest.Stack);
        if (!_guest.RunUntil(dhcp.Step, Grace) || dhcp.Lease is null) throw new InvalidOperationException("The guest got no lease.");
        Peer = dhcp.Lease.Router;
    }

    /// <summary>The far end, as the guest calls it.</summary>
    public Ip Peer { get; init; }

    private ProbeStack Stack => _guest.Stack;

    public string Faults => _guest.Faults.ToString();

    /// <summary>What it took so far.</summary>
    public GuestEffort Effort => new(_guest.FramesSent, _guest.FramesReceived, _guest.Kicks, _guest.Sleeps);

    public double TcpUp(TimeSpan time)
    {
        var connection = Open('S', long.MaxValue / 2, new CountingSink());
        var before = _server.Sunk;
        var start = Stopwatch.GetTimestamp();
        _guest.RunUntil(Never, time);
        var rate = (_server.Sunk - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        End(connection);
        return rate;
    }

    public double TcpDown(TimeSpan time)
    {
        var sink = new CountingSink();
        var connection = Open('G', 1, sink, finish: false);
        var before = sink.Bytes;
        var start = Stopwatch.GetTimestamp();
        _guest.RunUntil(Never, time);
        var rate = (sink.Bytes - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        End(connection);
        return rate;
    }

    public double TcpRoundTrips(TimeSpan time)
    {
        var source = Command('E', 1, finish: false);
        var sink = new PingPong(source);
        var connection = Open(source, sink);
        source.Extend(1);
        connection.Touch();
        var start = Stopwatch.GetTimestamp();
        _guest.RunUntil(Never, time);
        var rate = sink.Count / Stopwatch.GetElapsedTime(start).TotalSeconds;
        End(connection);
        return rate;
    }

    public double Connects(TimeSpan time)
    {
        var start = Stopwatch.GetTimestamp();
        var count = 0;
        var sink = new CountingSink();
        var source = new PatternSource(_pattern, 0);
        TcpConnection? connection = null;
        var done = () => connection!.State == TcpState.Closed;
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            connection = Stack.Connect(Peer, _server.Tcp, source, sink);
            if (!_guest.RunUntil(done, Grace) || connection.Error is not null) throw new InvalidOperationException($"Connection {count} failed: {connection.State} {connection.Error}");
            count++;
        }
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public double UdpUp(TimeSpan time, int size)
    {
        var port = Stack.OpenUdp();
        var before = _server.Datagrams;
        var start = Stopwatch.GetTimestamp();
        var gso = Stack.SegmentsDatagrams ? Math.Max(1, Math.Min(32, 60000 / size)) : 1;
        _guest.RunUntil(
            () =>
            {
                for (var i = 0; i < 64; i++)
                {
                    if (!Stack.SendUdp(port, Peer, _server.UdpSink, _pattern.Memory, size * gso, (ushort)(gso > 1 ? size : 0))) break;
                }
                return false;
            },
            time);
        var rate = (_server.Datagrams - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        Stack.Close(port);
        return rate;
    }

    public double UdpDown(TimeSpan time, int size)
    {
        var port = Stack.OpenUdp();
        var request = BulkServer.FloodRequest(size, time);
        var sent = false;
        _guest.RunUntil(() => (sent |= !sent && Stack.SendUdp(port, Peer, _server.UdpFlood, request)) && port.Datagrams > 0, Grace);
        var before = port.Datagrams;
        var start = Stopwatch.GetTimestamp();
        _guest.RunUntil(Never, time - TimeSpan.FromMilliseconds(20));
        var rate = (port.Datagrams - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        _guest.RunUntil(Never, TimeSpan.FromMilliseconds(100));
        Stack.Close(port);
        return rate;
    }

    public double UdpRoundTrips(TimeSpan time)
    {
        var port = Stack.OpenUdp();
        var count = 0L;
        var waiting = false;
        port.Received = (_, _, _) =>
        {
            count++;
            waiting = false;
        };
        var start = Stopwatch.GetTimestamp();
        _guest.RunUntil(
            () =>
            {
                if (!waiting) waiting = Stack.SendUdp(port, Peer, _server.UdpEcho, _pattern.Memory, 1);
                return false;
            },
            time);
        Stack.Close(port);
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose() => _guest.Dispose();

    private static bool Never() => false;

    private BulkSource Command(char kind, long total, bool finish) => new(_guest.Ram, kind, _pattern, total) { Finished = finish };

    private TcpConnection Open(char kind, long total, ITcpSink sink, bool finish = true) => Open(Command(kind, total, finish), sink);

    private TcpConnection Open(BulkSource source, ITcpSink sink)
    {
        var connection = Stack.Connect(Peer, _server.Tcp, source, sink);
        if (!_guest.RunUntil(() => connection.Acknowledged > 0 || connection.State == TcpState.Closed, Grace) || connection.State == TcpState.Closed)
            throw new InvalidOperationException($"No connection: {connection.State} {connection.Error}");
        return connection;
    }

    private void End(TcpConnection connection)
    {
        if (connection.Error is not null) throw new InvalidOperationException($"The connection broke: {connection.Error}");
        connection.Abort();
        _guest.RunUntil(Never, TimeSpan.FromMilliseconds(50));
    }

    private sealed class PingPong(BulkSource source) : ITcpSink
    {
        public long Count { get; private set; }

        public int Room => CountingSink.Window;

        public void Take(ReadOnlySpan<byte> bytes)
        {
            Count += bytes.Length;
            source.Extend(bytes.Length);
        }
    }
}
