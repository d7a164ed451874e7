using System.Buffers.Binary;
using NicHost.Linux;

namespace NicHost.NetVsp.Wire;

/// <summary>Reads packets, one at a time, and the descriptor that may come with each. What is not taken is closed.</summary>
internal sealed class WireReader(int socket) : IDisposable
{
    // One byte more than any packet may have, so that a longer one shows.
    private readonly byte[] _buffer = new byte[WireFormat.HeaderSize + WireFormat.MaxPayload + 1];
    private Fd? _fd;

    /// <summary>How a read ended.</summary>
    internal enum Status
    {
        /// <summary>Nothing is there.</summary>
        Empty,

        /// <summary>A packet was read.</summary>
        Packet,

        /// <summary>The peer has gone.</summary>
        Closed,

        /// <summary>See <see cref="Fault"/>.</summary>
        Malformed,
    }

    /// <summary>The last packet's header.</summary>
    public WireHeader Header { get; private set; }

    /// <summary>The last packet's payload.</summary>
    public ReadOnlySpan<byte> Payload => _buffer.AsSpan(WireFormat.HeaderSize, Header.Length);

    /// <summary>What is wrong.</summary>
    public string? Fault { get; private set; }

    /// <summary>The descriptor that came along; stays the reader's until <see cref="TakeFd"/>.</summary>
    public Fd? Fd => _fd;

    /// <summary>Reads the next packet.</summary>
    public Status Read()
    {
        _fd?.Dispose();
        _fd = null;
        Span<int> fds = stackalloc int[1];
        var result = UnixSocket.ReceiveWithFds(socket, _buffer, fds, out var count, out var truncated);
        if (result.WouldBlock) return Status.Empty;
        if (count == 1) _fd = new Fd(fds[0]);
        if (result.Failed || result.Count == 0) return Status.Closed;
        if (truncated) return Bad("more than one descriptor in a packet");
        if (!TryParse(_buffer.AsSpan(0, (int)result.Count), out var header, out var fault)) return Bad(fault);
        Header = header;
        var wanted = header.Kind is WireKind.MemoryAdd or WireKind.EventFd or WireKind.GuestFd;
        if (wanted == (_fd is not null)) return Status.Packet;
        return Bad(wanted ? $"{header.Kind} without a descriptor" : $"{header.Kind} with a descriptor");
    }

    /// <summary>Gives the descriptor away.</summary>
    public Fd TakeFd()
    {
        var fd = _fd ?? throw new InvalidOperationException("No descriptor came.");
        _fd = null;
        return fd;
    }

    /// <summary>Parses one packet.</summary>
    public static bool TryParse(ReadOnlySpan<byte> packet, out WireHeader header, out string fault)
    {
        header = default;
        fault = "";
        if (packet.Length < WireFormat.HeaderSize)
        {
            fault = $"a packet of {packet.Length} bytes, shorter than its header";
            return false;
        }
        var kind = (WireKind)BinaryPrimitives.ReadUInt32LittleEndian(packet);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(packet[4..]);
        if (length > WireFormat.MaxPayload || length != packet.Length - WireFormat.HeaderSize)
        {
            fault = $"a payload of {packet.Length - WireFormat.HeaderSize} bytes where the header says {length} (at most {WireFormat.MaxPayload})";
            return false;
        }
        if (length > 0 && kind != WireKind.PostMessage && ((uint)kind & WireFormat.OptionalKind) == 0)
        {
            fault = $"{kind} with a payload";
            return false;
        }
        header = new WireHeader(kind, (int)length,
            BinaryPrimitives.ReadUInt64LittleEndian(packet[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(packet[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(packet[24..]));
        return true;
    }

    public void Dispose()
    {
        _fd?.Dispose();
        _fd = null;
    }

    private Status Bad(string fault)
    {
        Fault = fault;
        return Status.Malformed;
    }
}
