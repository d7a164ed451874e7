using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Checks;

/// <summary>
/// Services on the host's loopback for the guest to use. TCP: <c>GET n</c> sends n bytes of the pattern, <c>PUT n</c> takes n and says
/// whether they were right, <c>ECHO</c> sends back what comes. UDP: echo.
/// </summary>
public sealed class LoopbackServices : IDisposable
{
    private readonly Socket _tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket _udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private readonly Task _echoing;

    /// <summary>Starts the services on free ports.</summary>
    public LoopbackServices()
    {
        _tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _tcp.Listen(512);
        _udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        TcpPort = (ushort)((IPEndPoint)_tcp.LocalEndPoint!).Port;
        UdpPort = (ushort)((IPEndPoint)_udp.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
        _echoing = EchoAsync();
    }

    /// <summary>Port of the TCP service.</summary>
    public ushort TcpPort { get; }

    /// <summary>Port of the UDP echo.</summary>
    public ushort UdpPort { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _tcp.Dispose();
        _udp.Dispose();
        Task.WaitAll([_accepting, _echoing], TimeSpan.FromSeconds(5));
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var sessions = new List<Task>();
        try
        {
            while (true) sessions.Add(ServeAsync(await _tcp.AcceptAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(sessions);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await Task.Yield();
        using (socket)
        {
            try
            {
                var buffer = new byte[256 * 1024];
                var have = 0;
                int end;
                while ((end = buffer.AsSpan(0, have).IndexOf((byte)'\n')) < 0)
                {
                    var got = await socket.ReceiveAsync(buffer.AsMemory(have, 64), _stop.Token);
                    if (got == 0 || have > 128) return;
                    have += got;
                }
                var words = Encoding.ASCII.GetString(buffer, 0, end).Split(' ');
                var first = buffer[(end + 1)..have];
                var count = words.Length > 1 ? long.Parse(words[1], CultureInfo.InvariantCulture) : 0;
                switch (words[0])
                {
                    case "GET": await SendAsync(socket, buffer, count); break;
                    case "PUT": await TakeAsync(socket, buffer, first, count); break;
                    case "ECHO": await EchoAsync(socket, buffer, first); break;
                }
                socket.Shutdown(SocketShutdown.Send);
                while (await socket.ReceiveAsync(buffer, _stop.Token) > 0)
                {
                    // What comes after the end of the conversation is read so that closing does not reset the connection.
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException or FormatException)
            {
                // The guest broke off, or we stop.
            }
        }
    }

    private async Task SendAsync(Socket socket, byte[] buffer, long count)
    {
        // A whole number of periods, so that the buffer can be sent over and over.
        var whole = buffer.Length / PatternSource.Period * PatternSource.Period;
        PatternSource.Fill(buffer.AsSpan(0, whole), 0);
        for (long sent = 0; sent < count;)
        {
            var from = (int)(sent % whole);
            sent += await socket.SendAsync(buffer.AsMemory(from, (int)Math.Min(whole - from, count - sent)), _stop.Token);
        }
    }

    private async Task TakeAsync(Socket socket, byte[] buffer, byte[] first, long count)
    {
        var sink = new CountingSink(verify: true);
        sink.Take(first);
        while (sink.Bytes < count)
        {
            var got = await socket.ReceiveAsync(buffer, _stop.Token);
            if (got == 0) break;
            sink.Take(buffer.AsSpan(0, got));
        }
        var verdict = sink.Wrong == 0 ? "right" : $"of which {sink.Wrong} wrong";
        await socket.SendAsync(Encoding.ASCII.GetBytes($"{sink.Bytes} {verdict}\n"), _stop.Token);
    }

    private async Task EchoAsync(Socket socket, byte[] buffer, byte[] first)
    {
        if (first.Length > 0) await socket.SendAsync(first, _stop.Token);
        int got;
        while ((got = await socket.ReceiveAsync(buffer, _stop.Token)) > 0) await socket.SendAsync(buffer.AsMemory(0, got), _stop.Token);
    }

    private async Task EchoAsync()
    {
        var buffer = new byte[65536];
        var anyone = new IPEndPoint(IPAddress.Any, 0);
        try
        {
            while (true)
            {
                var got = await _udp.ReceiveFromAsync(buffer, anyone, _stop.Token);
                await _udp.SendToAsync(buffer.AsMemory(0, got.ReceivedBytes), got.RemoteEndPoint, _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // We stop.
        }
    }
}
