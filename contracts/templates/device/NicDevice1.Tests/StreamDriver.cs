using System.Buffers.Binary;
using System.Net.Sockets;
using NicHost.Contracts.Frames;
using NicHost.Testing;
using NicHost.Testing.Conformance;

namespace NicDevice1.Tests;

/// <summary>The far end of the socket: what QEMU does with -netdev stream.</summary>
internal sealed class StreamDriver(string path) : IGuestDriver
{
    private Socket? _socket;
    private bool _reads;

    /// <summary>The connection while there is one, for what no honest VMM sends.</summary>
    public Socket Socket => _socket ?? throw new InvalidOperationException("Not attached.");

    public void Attach(OffloadSet wanted, int queues = 1, bool postBuffers = true)
    {
        _socket?.Dispose();
        _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        _reads = postBuffers;
    }

    // A guest without buffers is here one that does not read.
    public void PostBuffers(int queue) => _reads = true;

    public bool TrySend(int queue, ReadOnlySpan<byte> frame, FrameOffload offload = default)
    {
        var bytes = new byte[4 + frame.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, frame.Length);
        frame.CopyTo(bytes.AsSpan(4));
        Socket.Send(bytes);
        return true;
    }

    public ReceivedFrame? Receive(int queue, TimeSpan timeout)
    {
        if (!_reads || !Socket.Poll(timeout, SelectMode.SelectRead)) return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(ReadExactly(4));
        return new ReceivedFrame(ReadExactly(length), default);
    }

    public void Detach() => Vanish();

    public void Vanish()
    {
        _socket?.Dispose();
        _socket = null;
    }

    public void Dispose() => Vanish();

    private byte[] ReadExactly(int count)
    {
        var bytes = new byte[count];
        for (var done = 0; done < count;)
        {
            var got = Socket.Receive(bytes.AsSpan(done));
            if (got == 0) throw new IOException("The device closed the connection.");
            done += got;
        }
        return bytes;
    }
}
