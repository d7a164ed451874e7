using System.Buffers.Binary;
using System.Diagnostics;
using NicHost.Linux;

namespace NicHost.Probe.Netvsc;

/// <summary>The socket between a VMM and a VMBus, packet by packet: nothing here checks what is sent. One thread.</summary>
public sealed class VmbusSocket : IDisposable
{
    private const int HeaderSize = 32;

    private readonly byte[] _buffer = new byte[512];
    private readonly Fd _socket;

    /// <summary>Connects.</summary>
    /// <exception cref="VmbusException">Nobody is there.</exception>
    public VmbusSocket(string path, TimeSpan timeout)
    {
        Timeout = timeout;
        var result = UnixSocket.TryConnect(path, UnixSocketType.SeqPacket, out var fd);
        _socket = fd ?? throw new VmbusException($"No VMBus is served at {path}: {LinuxException.Describe(result.Error)}. Is the host running?");
    }

    /// <summary>The descriptor, to wait for.</summary>
    public int Raw => _socket.Raw;

    /// <summary>How long to wait for the host.</summary>
    public TimeSpan Timeout { get; }

    /// <summary>Sends a packet.</summary>
    public void Send(WireKind kind, ulong a = 0, ulong b = 0, ulong c = 0, ReadOnlySpan<byte> payload = default, int fd = -1)
    {
        Span<byte> packet = stackalloc byte[HeaderSize + payload.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(packet, (uint)kind);
        BinaryPrimitives.WriteInt32LittleEndian(packet[4..], payload.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[8..], a);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[16..], b);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[24..], c);
        payload.CopyTo(packet[HeaderSize..]);
        SendRaw(packet, fd < 0 ? [] : [fd]);
    }

    /// <summary>Sends any bytes with any descriptors.</summary>
    /// <exception cref="VmbusException">The host has closed the connection.</exception>
    public void SendRaw(ReadOnlySpan<byte> packet, ReadOnlySpan<int> fds)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var sent = UnixSocket.SendWithFds(_socket.Raw, packet, fds);
            if (sent.Ok) return;
            if (!sent.WouldBlock || Stopwatch.GetElapsedTime(start) > Timeout) throw new VmbusException($"The host does not take a packet: {sent}");
            Io.Poll(_socket.Raw, PollEvents.Out, 100);
        }
    }

    /// <summary>Receives a packet if one is there.</summary>
    /// <exception cref="VmbusException">The host has closed the connection.</exception>
    public WirePacket? TryReceive()
    {
        var received = UnixSocket.ReceiveWithFds(_socket.Raw, _buffer, [], out _, out _);
        if (received.WouldBlock) return null;
        if (received.Failed || received.Count == 0) throw new VmbusException("The host closed the connection.");
        var packet = _buffer.AsSpan(0, (int)received.Count);
        if (packet.Length < HeaderSize || BinaryPrimitives.ReadInt32LittleEndian(packet[4..]) != packet.Length - HeaderSize)
            throw new VmbusException($"The host sent a malformed packet of {packet.Length} bytes.");
        return new WirePacket(
            (WireKind)BinaryPrimitives.ReadUInt32LittleEndian(packet),
            BinaryPrimitives.ReadUInt64LittleEndian(packet[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(packet[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(packet[24..]),
            packet[HeaderSize..].ToArray());
    }

    /// <summary>Waits for a packet.</summary>
    /// <returns>Null when none came in time.</returns>
    public WirePacket? Receive(TimeSpan timeout)
    {
        for (var start = Stopwatch.GetTimestamp(); ;)
        {
            if (TryReceive() is { } packet) return packet;
            var left = timeout - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero) return null;
            Io.Poll(_socket.Raw, PollEvents.In, (int)Math.Ceiling(Math.Min(left.TotalMilliseconds, 1000)));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
