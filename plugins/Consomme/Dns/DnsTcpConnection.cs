using System.Buffers.Binary;
using NicHost.Contracts.Loops;
using NicHost.Linux;
using NicHost.Wire;

namespace NicHost.Consomme.Dns;

/// <summary>One connection with questions, each with its length before it; answers go back as they come, in any order (RFC 7766 6.2.1).</summary>
internal sealed class DnsTcpConnection : IFdHandler, IDnsAsker
{
    private const int LengthPrefix = 2;
    private const int MaxQuestion = 4096;

    /// <summary>Bytes of answers that may wait for the guest; a guest that does not read them loses the connection.</summary>
    private const int MaxWaiting = 256 * 1024;

    private readonly DnsTcpService _service;
    private readonly DnsForwarder _forwarder;
    private readonly IEventLoop _loop;
    private readonly IFdWatch _watch;
    private readonly byte[] _input = new byte[LengthPrefix + MaxQuestion];
    private readonly List<byte> _output = [];
    private int _fd;
    private int _inputLength;

    public DnsTcpConnection(DnsTcpService service, DnsForwarder forwarder, IEventLoop loop, int fd)
    {
        _service = service;
        _forwarder = forwarder;
        _loop = loop;
        _fd = fd;
        LastUsed = loop.NowMilliseconds;
        Sockets.SetOption(fd, SocketLevel.Tcp, TcpOption.NoDelay, 1);
        _watch = loop.Watch(fd, FdEvents.Readable, this);
    }

    public bool IsTcp => true;

    public long LastUsed { get; private set; }

    public void OnEvents(FdEvents events)
    {
        if (_fd >= 0 && (events & FdEvents.Writable) != 0) Flush();
        if (_fd >= 0 && (events & ~FdEvents.Writable) != 0) Read();
    }

    public void Answer(ReadOnlySpan<byte> message)
    {
        if (_fd < 0) return;
        LastUsed = _loop.NowMilliseconds;
        Span<byte> length = stackalloc byte[LengthPrefix];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)message.Length);
        _output.AddRange(length);
        _output.AddRange(message);
        if (_output.Count > MaxWaiting) Close();
        else Flush();
    }

    public void Close()
    {
        if (_fd < 0) return;
        _watch.Dispose();
        Io.Close(_fd);
        _fd = -1;
        _service.Closed(this);
    }

    private void Read()
    {
        var result = Sockets.Receive(_fd, _input.AsSpan(_inputLength), MsgFlags.DontWait);
        if (result.WouldBlock) return;
        if (result.Failed || result.Count == 0)
        {
            Close();
            return;
        }
        LastUsed = _loop.NowMilliseconds;
        _inputLength += result.Count;
        var at = 0;
        while (_fd >= 0 && _inputLength - at >= LengthPrefix)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(_input.AsSpan(at));
            if (length is < DnsView.HeaderLength or > MaxQuestion)
            {
                Close(); // no question: the stream is out of step
                return;
            }
            if (_inputLength - at < LengthPrefix + length) break;
            _forwarder.Ask(_input.AsSpan(at + LengthPrefix, length), this, null);
            at += LengthPrefix + length;
        }
        _input.AsSpan(at, _inputLength - at).CopyTo(_input);
        _inputLength -= at;
    }

    private void Flush()
    {
        while (_output.Count > 0)
        {
            var result = Sockets.Send(_fd, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_output), MsgFlags.DontWait);
            if (result.WouldBlock)
            {
                _watch.Events = FdEvents.Readable | FdEvents.Writable;
                return;
            }
            if (result.Failed)
            {
                Close();
                return;
            }
            _output.RemoveRange(0, result.Count);
        }
        _watch.Events = FdEvents.Readable;
    }
}
