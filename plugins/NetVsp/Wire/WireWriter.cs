using System.Buffers.Binary;
using NicHost.Linux;

namespace NicHost.NetVsp.Wire;

/// <summary>
/// Writes packets. What the socket does not take is kept in order; whoever feeds it stops reading requests while something is kept, so that
/// what is kept stays small.
/// </summary>
internal sealed class WireWriter(int socket)
{
    // Far beyond what a client can bring about that reads its answers: offers, answers and rescinds of all channels.
    private const int MaxKept = 4096;

    private readonly Queue<byte[]> _kept = new();
    private readonly byte[] _buffer = new byte[WireFormat.HeaderSize + WireFormat.MaxPayload];

    /// <summary>Whether packets wait for room in the socket.</summary>
    public bool HasKept => _kept.Count > 0;

    /// <summary>Sends a packet, now or later.</summary>
    /// <returns>False when the peer has gone, or reads so little that too much is kept.</returns>
    public bool Send(WireKind kind, ulong a = 0, ulong b = 0, ulong c = 0, ReadOnlySpan<byte> payload = default)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer, (uint)kind);
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(4), payload.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(8), a);
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(16), b);
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(24), c);
        payload.CopyTo(_buffer.AsSpan(WireFormat.HeaderSize));
        var packet = _buffer.AsSpan(0, WireFormat.HeaderSize + payload.Length);
        if (_kept.Count == 0)
        {
            var sent = UnixSocket.SendWithFds(socket, packet, []);
            if (!sent.Failed) return true;
            if (!sent.WouldBlock) return false;
        }
        if (_kept.Count == MaxKept) return false;
        _kept.Enqueue(packet.ToArray());
        return true;
    }

    /// <summary>Sends what was kept, as far as it goes.</summary>
    /// <returns>False when the peer has gone.</returns>
    public bool Flush()
    {
        while (_kept.TryPeek(out var packet))
        {
            var sent = UnixSocket.SendWithFds(socket, packet, []);
            if (sent.WouldBlock) return true;
            if (sent.Failed) return false;
            _kept.Dequeue();
        }
        return true;
    }
}
