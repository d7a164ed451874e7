using System.Buffers.Binary;
using NicHost.Linux;

namespace NicHost.Probe.Frontend;

/// <summary>A message as it came: header and payload.</summary>
public readonly record struct VhostMessage(uint Request, VhostFlags Flags, byte[] Payload)
{
    /// <summary>The payload as one number.</summary>
    public ulong Word => Payload.Length >= 8 ? BinaryPrimitives.ReadUInt64LittleEndian(Payload) : 0;
}

/// <summary>
/// One vhost-user socket: sends requests, honest or not, and reads answers, each within a time limit. Control path only: it may allocate.
/// </summary>
public sealed class VhostChannel(Fd socket, TimeSpan timeout) : IDisposable
{
    /// <summary>Bytes of a header: request, flags, payload size.</summary>
    public const int HeaderSize = 12;

    private const int MaxPayload = 64 * 1024;

    /// <summary>The socket, to wait on.</summary>
    public int Raw => socket.Raw;

    /// <summary>Called with each message that is sent or received, for logs of a conversation.</summary>
    public Action<string>? Trace { get; set; }

    /// <summary>Sends a well-formed message.</summary>
    public void Send(VhostRequest request, ReadOnlySpan<byte> payload, ReadOnlySpan<int> fds, VhostFlags flags = VhostFlags.None)
    {
        var bytes = new byte[HeaderSize + payload.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)request);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), (uint)(flags | VhostFlags.Version1));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), payload.Length);
        payload.CopyTo(bytes.AsSpan(HeaderSize));
        Trace?.Invoke($"> {request} {flags} {payload.Length} bytes, {fds.Length} fds");
        SendRaw(bytes, fds);
    }

    /// <summary>Sends any bytes with any descriptors.</summary>
    /// <exception cref="VhostException">The peer has closed the connection, or takes nothing.</exception>
    public void SendRaw(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> fds)
    {
        while (bytes.Length > 0)
        {
            var sent = UnixSocket.SendWithFds(socket.Raw, bytes, fds);
            if (sent.WouldBlock)
            {
                if (Io.Poll(socket.Raw, PollEvents.Out, Milliseconds) == PollEvents.None) throw new VhostException("The back-end does not read its socket.");
                continue;
            }
            if (sent.Failed) throw new VhostException($"The back-end closed the connection ({sent}).");
            bytes = bytes[sent.Count..];
            fds = default;
        }
    }

    /// <summary>Reads the next message.</summary>
    /// <exception cref="VhostException">Nothing came in time, or the peer has closed the connection.</exception>
    public VhostMessage Receive()
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        ReadExactly(header);
        var size = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        if (size is < 0 or > MaxPayload) throw new VhostException($"The back-end announced a payload of {size} bytes.");
        var payload = new byte[size];
        ReadExactly(payload);
        var message = new VhostMessage(BinaryPrimitives.ReadUInt32LittleEndian(header), (VhostFlags)BinaryPrimitives.ReadUInt32LittleEndian(header[4..]), payload);
        Trace?.Invoke($"< {(VhostRequest)message.Request} {message.Flags} {size} bytes");
        return message;
    }

    /// <summary>Reads the answer to <paramref name="request"/>.</summary>
    /// <exception cref="VhostException">Another answer came, or none.</exception>
    public VhostMessage ReceiveReply(VhostRequest request)
    {
        var reply = Receive();
        if (reply.Request != (uint)request || (reply.Flags & VhostFlags.Reply) == 0)
            throw new VhostException($"{request} was answered by {(VhostRequest)reply.Request} with flags {reply.Flags}.");
        return reply;
    }

    /// <summary>Whether something can be read now, the end of the connection included.</summary>
    public bool HasInput => Io.Poll(socket.Raw, PollEvents.In, 0) != PollEvents.None;

    /// <summary>Waits until the peer has closed the connection; what it sends until then is thrown away.</summary>
    /// <returns>False when it did not within the time limit.</returns>
    public bool WaitForClose()
    {
        Span<byte> waste = stackalloc byte[512];
        while (Io.Poll(socket.Raw, PollEvents.In, Milliseconds) != PollEvents.None)
        {
            var got = Sockets.Receive(socket.Raw, waste);
            if (got.WouldBlock) continue;
            if (got.Failed || got.Count == 0) return true;
        }
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    private int Milliseconds => (int)timeout.TotalMilliseconds;

    private void ReadExactly(Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var got = Sockets.Receive(socket.Raw, buffer);
            if (got.WouldBlock)
            {
                if (Io.Poll(socket.Raw, PollEvents.In, Milliseconds) == PollEvents.None)
                    throw new VhostException($"The back-end did not answer within {timeout.TotalSeconds:0.#} s.");
                continue;
            }
            if (got.Failed || got.Count == 0) throw new VhostException("The back-end closed the connection.");
            buffer = buffer[got.Count..];
        }
    }
}
