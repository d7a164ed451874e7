using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace NicHost.EndToEnd.Tests.Lab;

/// <summary>
/// The internet of the lab: DNS, an HTTP source, a hashing sink, echo services; all on the server's addresses, and the
/// source on the host's loopback too. The sockets live in their namespaces, the code in the test process.
/// </summary>
internal sealed class LabServices : IDisposable
{
    public const int HttpPort = 8080;
    public const int SinkPort = 7002;
    public const int EchoPort = 7007;
    public const int ClosedPort = 9;

    private readonly CancellationTokenSource _stop = new();
    private readonly List<IDisposable> _sockets = [];

    public LabServices(NetnsLab lab)
    {
        foreach (var address in new[] { NetnsLab.ServerAddress, NetnsLab.ServerAddress6, IPAddress.Parse("10.97.0.2"), IPAddress.Parse("fd97::2") })
        {
            ServeTcp(lab.Server, address, HttpPort, SendRandomAsync);
            ServeTcp(lab.Server, address, SinkPort, HashAsync);
            ServeTcp(lab.Server, address, EchoPort, EchoAsync);
            ServeUdp(lab.Server, address, EchoPort, static (query, _) => query);
        }

        ServeTcp(lab.Host, IPAddress.Loopback, HttpPort, SendRandomAsync);
        ServeTcp(lab.Host, IPAddress.IPv6Loopback, HttpPort, SendRandomAsync);
        foreach (var address in new[] { NetnsLab.DnsAddress, NetnsLab.OtherDnsAddress })
        {
            var zone = new DnsZone(address);
            ServeUdp(lab.Server, address, 53, zone.AnswerUdp);
            ServeTcp(lab.Server, address, 53, zone.ServeTcpAsync);
        }
    }

    /// <summary>Source, sink and echo alone, on one address.</summary>
    public LabServices(Netns where, IPAddress address)
    {
        ServeTcp(where, address, HttpPort, SendRandomAsync);
        ServeTcp(where, address, SinkPort, HashAsync);
        ServeTcp(where, address, EchoPort, EchoAsync);
    }

    /// <summary>Who connected to the HTTP source, oldest first.</summary>
    public ConcurrentQueue<IPEndPoint> HttpClients { get; } = new();

    /// <summary>What went wrong in a service; a test that fails prints it.</summary>
    public ConcurrentQueue<string> Troubles { get; } = new();

    public void Dispose()
    {
        _stop.Cancel();
        foreach (var socket in _sockets)
            socket.Dispose();
        _stop.Dispose();
    }

    private void ServeTcp(Netns where, IPAddress address, int port, Func<Socket, CancellationToken, Task> serve)
    {
        var listener = where.Inside(() =>
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(512);
            return socket;
        });
        _sockets.Add(listener);
        _ = Task.Run(async () =>
        {
            while (!_stop.IsCancellationRequested)
            {
                Socket client;
                try
                {
                    client = await listener.AcceptAsync(_stop.Token);
                }
                catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
                {
                    return;
                }

                _ = Guarded($"tcp {port} {client.RemoteEndPoint}", client, serve);
            }
        });
    }

    private async Task Guarded(string who, Socket client, Func<Socket, CancellationToken, Task> serve)
    {
        try
        {
            using (client)
                await serve(client, _stop.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException or FormatException)
        {
            Troubles.Enqueue($"{who}: {e.Message}");
        }
    }

    private void ServeUdp(Netns where, IPAddress address, int port, Func<byte[], EndPoint, byte[]?> answer)
    {
        var socket = where.Inside(() =>
        {
            var made = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
            made.Bind(new IPEndPoint(address, port));
            return made;
        });
        _sockets.Add(socket);
        _ = Task.Run(async () =>
        {
            var buffer = new byte[65536];
            EndPoint any = new IPEndPoint(address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    var got = await socket.ReceiveFromAsync(buffer, SocketFlags.None, any, _stop.Token);
                    if (answer(buffer[..got.ReceivedBytes], got.RemoteEndPoint) is { } reply)
                        await socket.SendToAsync(reply, SocketFlags.None, got.RemoteEndPoint, _stop.Token);
                }
                catch (SocketException e)
                {
                    // An ICMP error for an earlier answer, or a path MTU learnt: the service goes on.
                    Troubles.Enqueue($"udp {port}: {e.Message}");
                }
                catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
                {
                    return;
                }
            }
        });
    }

    /// <summary>GET /random/SEED/SIZE: that many bytes of the seed's stream. GET /whoami: the client's address.</summary>
    private async Task SendRandomAsync(Socket client, CancellationToken stop)
    {
        HttpClients.Enqueue((IPEndPoint)client.RemoteEndPoint!);
        var request = new StringBuilder();
        var chunk = new byte[4096];
        while (!request.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var n = await client.ReceiveAsync(chunk, stop);
            if (n == 0)
                return;
            request.Append(Encoding.ASCII.GetString(chunk, 0, n));
        }

        var path = request.ToString().Split(' ')[1].Split('/');
        if (path[1] != "random")
        {
            var body = client.RemoteEndPoint!.ToString()!;
            await SendAllAsync(client, Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"), stop);
            return;
        }

        var bytes = new TestBytes(ulong.Parse(path[2], CultureInfo.InvariantCulture));
        var left = int.Parse(path[3], CultureInfo.InvariantCulture);
        await SendAllAsync(client, Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {left}\r\nConnection: close\r\n\r\n"), stop);
        var buffer = new byte[1 << 18];
        while (left > 0)
        {
            var part = buffer.AsMemory(0, Math.Min(left, buffer.Length));
            bytes.Fill(part.Span);
            await SendAllAsync(client, part, stop);
            left -= part.Length;
        }

        client.Shutdown(SocketShutdown.Send);
        while (await client.ReceiveAsync(chunk, stop) > 0)
        {
        }
    }

    /// <summary>Reads to the end of the stream, then answers with its SHA-256: works only if half-close works.</summary>
    private async Task HashAsync(Socket client, CancellationToken stop)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 18];
        int n;
        while ((n = await client.ReceiveAsync(buffer, stop)) > 0)
            hash.AppendData(buffer, 0, n);
        await SendAllAsync(client, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset()) + "\n"), stop);
        client.Shutdown(SocketShutdown.Send);
    }

    private static async Task EchoAsync(Socket client, CancellationToken stop)
    {
        client.NoDelay = true;
        var buffer = new byte[1 << 16];
        int n;
        while ((n = await client.ReceiveAsync(buffer, stop)) > 0)
            await SendAllAsync(client, buffer.AsMemory(0, n), stop);
        client.Shutdown(SocketShutdown.Send);
    }

    private static async Task SendAllAsync(Socket client, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await client.SendAsync(bytes, stop)..];
    }
}
