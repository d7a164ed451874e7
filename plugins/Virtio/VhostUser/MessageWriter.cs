using System.Buffers.Binary;
using NicHost.Linux;

namespace NicHost.Virtio.VhostUser;

/// <summary>
/// Sends messages on a non-blocking stream socket. What the socket does not take is kept and sent when it is writable; a peer that never reads
/// reaches a bound and is given up.
/// </summary>
internal sealed class MessageWriter(int socket)
{
    private const int Bound = 16 * 1024;

    private readonly byte[] _message = new byte[MessageHeader.Bytes + MessageShape.ConfigHeader + MessageShape.MaxConfig];
    private byte[] _kept = [];

    /// <summary>Whether something waits for the socket to be writable.</summary>
    public bool HasKept => _kept.Length > 0;

    /// <summary>Sends one message.</summary>
    /// <returns>False when the peer is gone or does not read.</returns>
    public bool Send(uint request, uint flags, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_message, request);
        BinaryPrimitives.WriteUInt32LittleEndian(_message.AsSpan(4), flags | MessageHeader.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(_message.AsSpan(8), (uint)payload.Length);
        payload.CopyTo(_message.AsSpan(MessageHeader.Bytes));
        var message = _message.AsSpan(0, MessageHeader.Bytes + payload.Length);
        if (HasKept) return Keep(message);
        var sent = Sockets.Send(socket, message);
        if (sent.Failed && !sent.WouldBlock) return false;
        return Keep(message[Math.Max(0, sent.Count)..]);
    }

    /// <summary>Sends what was kept.</summary>
    /// <returns>False when the peer is gone.</returns>
    public bool Flush()
    {
        var sent = Sockets.Send(socket, _kept);
        if (sent.Failed) return sent.WouldBlock;
        _kept = _kept[sent.Count..];
        return true;
    }

    private bool Keep(ReadOnlySpan<byte> rest)
    {
        if (rest.IsEmpty) return true;
        if (_kept.Length + rest.Length > Bound) return false;
        _kept = [.. _kept, .. rest];
        return true;
    }
}
