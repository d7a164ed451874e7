using System.Net;
using System.Net.Sockets;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.GuestBench;

/// <summary>Echo over TCP and UDP on the lab host's own address, on threads of its own with blocking calls: the same for every contender.</summary>
internal sealed class HostEcho : IDisposable
{
    public const int Port = 7077;
    private readonly Socket _udp;
    private readonly Socket _tcp;

    public HostEcho(NetnsLab lab)
    {
        (_udp, _tcp) = lab.Host.Inside(() =>
        {
            var at = new IPEndPoint(NetnsLab.HostAddress, Port);
            var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            udp.Bind(at);
            var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            tcp.Bind(at);
            tcp.Listen(512);
            return (udp, tcp);
        });
        Run(() =>
        {
            var buffer = new byte[65536];
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            while (true) _udp.SendTo(buffer.AsSpan(0, _udp.ReceiveFrom(buffer, ref from)), from);
        });
        Run(() =>
        {
            while (true)
            {
                var client = _tcp.Accept();
                client.NoDelay = true;
                Run(() => Serve(client));
            }
        });
    }

    public void Dispose()
    {
        _udp.Dispose();
        _tcp.Dispose();
    }

    private static void Serve(Socket client)
    {
        using (client)
        {
            var buffer = new byte[65536];
            while (client.Receive(buffer) is > 0 and var n) client.Send(buffer.AsSpan(0, n));
        }
    }

    private static void Run(Action body) => new Thread(() =>
    {
        try { body(); }
        catch (SocketException) { }
        catch (ObjectDisposedException) { }
    }, 256 << 10)
    { IsBackground = true }.Start();
}
