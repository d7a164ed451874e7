using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using NicHost.Contracts.Nics;

namespace NicHost.Packages.Tests.Templates;

/// <summary>A guest at the far end of a stream socket, which knows ARP and nothing else.</summary>
internal sealed class StreamGuest : IDisposable
{
    private const int Ethernet = 14, ArpLength = 28;

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };

    private readonly MacAddress _mac;

    public StreamGuest(string path, MacAddress mac)
    {
        _mac = mac;
        _socket.Connect(new UnixDomainSocketEndPoint(path));
    }

    /// <summary>Asks for an address and returns the one that the answer is about.</summary>
    public string AskWhoHas(string address)
    {
        var message = new byte[4 + Ethernet + ArpLength];
        BinaryPrimitives.WriteInt32BigEndian(message, Ethernet + ArpLength);
        var frame = message.AsSpan(4);
        frame[..6].Fill(0xff);
        _mac.CopyTo(frame[6..]);
        new byte[] { 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1 }.CopyTo(frame[12..]);
        _mac.CopyTo(frame[22..]);
        IPAddress.Parse("10.0.2.15").GetAddressBytes().CopyTo(frame[28..]);
        IPAddress.Parse(address).GetAddressBytes().CopyTo(frame[38..]);
        _socket.Send(message);
        while (true)
        {
            var answer = ReadFrame();
            // An ARP reply.
            if (answer.Length >= Ethernet + ArpLength && answer[12] == 0x08 && answer[13] == 0x06 && answer[21] == 2) return new IPAddress(answer.AsSpan(28, 4)).ToString();
        }
    }

    public void Dispose() => _socket.Dispose();

    private byte[] ReadFrame() => ReadExactly(BinaryPrimitives.ReadInt32BigEndian(ReadExactly(4)));

    private byte[] ReadExactly(int count)
    {
        var bytes = new byte[count];
        for (var done = 0; done < count;)
        {
            var got = _socket.Receive(bytes.AsSpan(done));
            if (got == 0) throw new IOException("The device closed the connection.");
            done += got;
        }
        return bytes;
    }
}
