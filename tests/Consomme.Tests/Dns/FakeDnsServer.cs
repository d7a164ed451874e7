using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace NicHost.Consomme.Tests.Dns;

/// <summary>A name server on loopback, by UDP and TCP, that answers as the test says: null is silence.</summary>
internal sealed class FakeDnsServer : IDisposable
{
    private readonly Socket _udp;
    private readonly Socket _tcp;
    private readonly Func<byte[], byte[]?> _answer;
    private int _udpCount;
    private int _tcpCount;

    public FakeDnsServer(Func<byte[], byte[]?> answer)
    {
        _answer = answer;
        (_udp, _tcp) = Bind();
        Port = ((IPEndPoint)_udp.LocalEndPoint!).Port;
        _tcp.Listen();
        new Thread(Datagrams) { IsBackground = true }.Start();
        new Thread(Streams) { IsBackground = true }.Start();
    }

    public int Port { get; }

    public string Text => $"127.0.0.1:{Port}";

    public int UdpQuestions => Volatile.Read(ref _udpCount);

    public int TcpQuestions => Volatile.Read(ref _tcpCount);

    /// <summary>The question with a response code and answer records, all to the question's name.</summary>
    public static byte[] Reply(byte[] question, int code = 0, bool truncated = false, params byte[][] addresses)
    {
        // The question alone, without EDNS.
        var end = 12;
        while (question[end] != 0) end += 1 + question[end];
        end += 5;
        var reply = new List<byte>(question[..end]);
        reply[2] = (byte)(0x81 | (truncated ? 2 : 0));
        reply[3] = (byte)(0x80 | code);
        reply[7] = (byte)addresses.Length;
        reply[8] = reply[9] = reply[10] = reply[11] = 0;
        foreach (var address in addresses)
            reply.AddRange([0xc0, 12, 0, address.Length == 4 ? (byte)1 : (byte)28, 0, 1, 0, 0, 0, 60, 0, (byte)address.Length, .. address]);
        return [.. reply];
    }

    public void Dispose()
    {
        _udp.Dispose();
        _tcp.Dispose();
    }

    /// <summary>One port by both protocols: what one gives at random may be taken in the other.</summary>
    private static (Socket Udp, Socket Tcp) Bind()
    {
        for (var attempt = 0; ; attempt++)
        {
            var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                udp.Bind(tcp.LocalEndPoint!);
                return (udp, tcp);
            }
            catch (SocketException) when (attempt < 50)
            {
                tcp.Dispose();
                udp.Dispose();
            }
        }
    }

    private void Datagrams()
    {
        try
        {
            var buffer = new byte[4096];
            while (true)
            {
                EndPoint from = new IPEndPoint(IPAddress.Any, 0);
                var length = _udp.ReceiveFrom(buffer, ref from);
                Interlocked.Increment(ref _udpCount);
                if (_answer(buffer[..length]) is { } answer) _udp.SendTo(answer, from);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    private void Streams()
    {
        try
        {
            while (true)
            {
                using var client = _tcp.Accept();
                using var stream = new NetworkStream(client);
                var prefix = new byte[2];
                stream.ReadExactly(prefix);
                var question = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
                stream.ReadExactly(question);
                Interlocked.Increment(ref _tcpCount);
                if (_answer(question) is not { } answer) continue;
                BinaryPrimitives.WriteUInt16BigEndian(prefix, (ushort)answer.Length);
                stream.Write([.. prefix, .. answer]);
            }
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
        }
    }
}
