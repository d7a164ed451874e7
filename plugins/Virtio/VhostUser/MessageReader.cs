using System.Buffers.Binary;
using NicHost.Linux;

namespace NicHost.Virtio.VhostUser;

/// <summary>
/// Reads messages off a stream socket, piece by piece as they come: header, then payload, with descriptors at any byte. Never waits. What is
/// read is checked for its shape; descriptors of a message that is not handed out are closed.
/// </summary>
internal sealed class MessageReader(int socket) : IDisposable
{
    private readonly byte[] _header = new byte[MessageHeader.Bytes];
    private readonly byte[] _payload = new byte[MessageShape.MaxPayload];
    private readonly int[] _received = new int[MessageShape.MaxAnyFds];
    private readonly List<Fd> _fds = [];
    private int _headerRead;
    private int _payloadRead;

    /// <summary>How a read ended.</summary>
    internal enum Status
    {
        /// <summary>A whole message is here.</summary>
        Message,

        /// <summary>No more for now.</summary>
        Wait,

        /// <summary>The peer is gone.</summary>
        Closed,

        /// <summary>The peer broke the protocol: see <see cref="Fault"/>.</summary>
        Malformed,
    }

    /// <summary>Header of the message.</summary>
    public MessageHeader Header { get; private set; }

    /// <summary>What came after the header.</summary>
    public ReadOnlySpan<byte> Payload => _payload.AsSpan(0, Header.Size);

    /// <summary>Descriptors that came with the message and were not taken yet.</summary>
    public int FdCount => _fds.Count;

    /// <summary>What was wrong.</summary>
    public string Fault { get; private set; } = "";

    /// <summary>Reads on. After <see cref="Status.Message"/> the next call starts the next message.</summary>
    public Status Read()
    {
        if (_headerRead == MessageHeader.Bytes && _payloadRead == Header.Size) Reset();
        while (_headerRead < MessageHeader.Bytes)
        {
            if (Receive(_header.AsSpan(_headerRead), ref _headerRead) is { } stop) return stop;
            if (_headerRead == MessageHeader.Bytes && !ReadHeader()) return Status.Malformed;
        }
        while (_payloadRead < Header.Size)
        {
            if (Receive(_payload.AsSpan(_payloadRead, Header.Size - _payloadRead), ref _payloadRead) is { } stop) return stop;
        }
        return CheckFds() ? Status.Message : Status.Malformed;
    }

    /// <summary>The first descriptor, which stays the reader's; null when none is left.</summary>
    public Fd? FirstFd => _fds.Count == 0 ? null : _fds[0];

    /// <summary>Hands out the first descriptor, or null when none is left; the caller owns it.</summary>
    public Fd? TakeFd()
    {
        if (_fds.Count == 0) return null;
        var fd = _fds[0];
        _fds.RemoveAt(0);
        return fd;
    }

    public void Dispose() => CloseFds();

    private void Reset()
    {
        CloseFds();
        _headerRead = _payloadRead = 0;
        Header = default;
    }

    private void CloseFds()
    {
        foreach (var fd in _fds) fd.Dispose();
        _fds.Clear();
    }

    private Status? Receive(Span<byte> into, ref int read)
    {
        var result = UnixSocket.ReceiveWithFds(socket, into, _received, out var count, out var truncated);
        for (var i = 0; i < count; i++) _fds.Add(new Fd(_received[i]));
        if (result.WouldBlock) return Status.Wait;
        if (result.Failed || result.Count == 0) return CutOff();
        read += result.Count;
        if (!truncated && _fds.Count <= MessageShape.MaxAnyFds) return null;
        return Malformed($"{MessageShape.Name(Header.Request)}: more than {MessageShape.MaxAnyFds} descriptors");
    }

    private Status CutOff() => _headerRead == 0 ? Status.Closed : Malformed("the connection ended inside a message");

    private Status Malformed(string fault)
    {
        Fault = fault;
        return Status.Malformed;
    }

    private bool ReadHeader()
    {
        var request = (Request)BinaryPrimitives.ReadUInt32LittleEndian(_header);
        var flags = BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(4));
        var size = BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(8));
        Header = new MessageHeader(request, flags, (int)Math.Min(size, int.MaxValue));
        var name = MessageShape.Name(request);
        var shape = MessageShape.Of(request) ?? new MessageShape(0, MessageShape.MaxPayload, 0, MessageShape.MaxAnyFds);
        var fault = (flags & MessageHeader.VersionMask) != MessageHeader.Version ? $"{name}: protocol version {flags & MessageHeader.VersionMask}, not 1"
            : (flags & MessageHeader.FlagReply) != 0 ? $"{name}: a reply where a request belongs"
            : size < shape.MinSize || size > shape.MaxSize ? $"{name}: {size} bytes instead of {Range(shape.MinSize, shape.MaxSize)}"
            : null;
        if (fault is null) return true;
        Header = default;
        Fault = fault;
        return false;
    }

    private bool CheckFds()
    {
        if (MessageShape.Of(Header.Request) is not { } shape) return true;
        if (_fds.Count >= shape.MinFds && _fds.Count <= shape.MaxFds) return true;
        Fault = $"{MessageShape.Name(Header.Request)}: {_fds.Count} descriptors instead of {Range(shape.MinFds, shape.MaxFds)}";
        return false;
    }

    private static string Range(int min, int max) => min == max ? $"{min}" : $"{min} to {max}";
}
