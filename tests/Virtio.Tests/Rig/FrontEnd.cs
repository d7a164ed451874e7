using System.Buffers.Binary;
using NicHost.Linux;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.Rig;

/// <summary>A front-end that says what a test scripts, right or wrong. The device's loop is turned by hand in between.</summary>
internal sealed class FrontEnd(Fd socket, Action turn) : IDisposable
{
    public const uint NeedReply = MessageHeader.FlagNeedReply;

    public Fd Socket { get; } = socket;

    public static byte[] Words(params ulong[] words)
    {
        var bytes = new byte[words.Length * 8];
        for (var i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * 8), words[i]);
        return bytes;
    }

    public static byte[] State(uint index, uint value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, index);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), value);
        return bytes;
    }

    public static byte[] Message(Request request, byte[] payload, uint flags = 0)
    {
        var bytes = new byte[12 + payload.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)request);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), MessageHeader.Version | flags);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), (uint)payload.Length);
        payload.CopyTo(bytes, 12);
        return bytes;
    }

    public void SendRaw(byte[] bytes, params int[] fds)
    {
        // A back-end that has closed us is found out by reading.
        UnixSocket.SendWithFds(Socket.Raw, bytes, fds);
        turn();
    }

    public void Send(Request request, byte[]? payload = null, uint flags = 0, params int[] fds) => SendRaw(Message(request, payload ?? [], flags), fds);

    public void Send(Request request, ulong value, uint flags = 0, params int[] fds) => Send(request, Words(value), flags, fds);

    /// <summary>Sends and reads the answer's word.</summary>
    public ulong Ask(Request request, byte[]? payload = null, params int[] fds)
    {
        Send(request, payload, 0, fds);
        return ReadWord(request);
    }

    /// <summary>Sends with need_reply and reads the acknowledgement: 0 is success.</summary>
    public ulong Acked(Request request, byte[]? payload = null, params int[] fds)
    {
        Send(request, payload, NeedReply, fds);
        return ReadWord(request);
    }

    public ulong ReadWord(Request request) => BinaryPrimitives.ReadUInt64LittleEndian(ReadReply(request));

    public byte[] ReadReply(Request request)
    {
        var reply = TryRead() ?? throw new InvalidOperationException($"{request}: no reply");
        Assert.Equal((uint)request, BinaryPrimitives.ReadUInt32LittleEndian(reply));
        Assert.Equal(MessageHeader.Version | MessageHeader.FlagReply, BinaryPrimitives.ReadUInt32LittleEndian(reply.AsSpan(4)));
        return reply[12..];
    }

    /// <summary>One whole message, or null when none is there.</summary>
    public byte[]? TryRead() => TryRead(Socket.Raw);

    public static byte[]? TryRead(int socket)
    {
        var header = new byte[12];
        var read = Sockets.Receive(socket, header);
        if (read.Failed || read.Count == 0) return null;
        Assert.Equal(12, read.Count);
        var payload = new byte[BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8))];
        if (payload.Length > 0) Assert.Equal(payload.Length, Sockets.Receive(socket, payload).Count);
        return [.. header, .. payload];
    }

    /// <summary>Whether the back-end has closed the connection.</summary>
    public bool IsClosed
    {
        get
        {
            turn();
            return (Io.Poll(Socket.Raw, PollEvents.ReadHangUp, 0) & (PollEvents.ReadHangUp | PollEvents.HangUp)) != 0;
        }
    }

    public void Dispose()
    {
        Socket.Dispose();
        turn();
    }
}
