using System.Text;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>
/// Where the management stack passes a TAP. A client connects (SOCK_SEQPACKET), sends one message of any text with one descriptor for each
/// queue (SCM_RIGHTS), and reads one message: <c>ok NAME QUEUES</c> or <c>error REASON</c>. A later TAP takes the place of the one before.
/// </summary>
internal sealed class DescriptorSocket : IFdHandler, IDisposable
{
    private readonly IEventLoop _loop;
    private readonly int _most;
    private readonly Func<Fd[], string> _take;
    private readonly Fd _listener;
    private readonly IFdWatch _watch;
    private Client? _client;

    /// <param name="loop">The NIC's first loop.</param>
    /// <param name="path">Where; what a dead host left there is replaced.</param>
    /// <param name="most">Descriptors at most.</param>
    /// <param name="take">Takes them over, and says what they are.</param>
    /// <exception cref="IOException">The path cannot be used.</exception>
    public DescriptorSocket(IEventLoop loop, string path, int most, Func<Fd[], string> take)
    {
        (_loop, Path, _most, _take) = (loop, path, most, take);
        try { _listener = UnixSocket.Listen(path, UnixSocketType.SeqPacket); }
        catch (LinuxException e) { throw new IOException($"The socket {path} for a TAP's descriptors cannot be made: {e.Message}. Choose another path for \"socket\".", e); }
        _watch = loop.Watch(_listener.Raw, FdEvents.Readable, this);
    }

    public string Path { get; }

    public void OnEvents(FdEvents events)
    {
        while (UnixSocket.Accept(_listener.Raw) is { Ok: true } accepted)
        {
            // One at a time: who is slow gives way.
            _client?.Dispose();
            _client = new Client(this, new Fd(accepted.Fd));
        }
    }

    public void Dispose()
    {
        _client?.Dispose();
        _watch.Dispose();
        _listener.Dispose();
        UnixSocket.Unlink(Path);
    }

    private string Answer(Fd[] fds, bool truncated)
    {
        if (truncated) return $"error At most {_most} descriptors are taken here, as \"queues\" says.";
        try { return $"ok {_take(fds)}"; }
        catch (IOException e) { return $"error {e.Message}"; }
    }

    private sealed class Client : IFdHandler, IDisposable
    {
        private readonly DescriptorSocket _owner;
        private readonly Fd _fd;
        private readonly IFdWatch _watch;

        public Client(DescriptorSocket owner, Fd fd)
        {
            (_owner, _fd) = (owner, fd);
            Io.SetNonBlocking(fd.Raw, true);
            _watch = owner._loop.Watch(fd.Raw, FdEvents.Readable, this);
        }

        public void OnEvents(FdEvents events)
        {
            Span<byte> text = stackalloc byte[256];
            var raw = new int[_owner._most];
            var result = UnixSocket.ReceiveWithFds(_fd.Raw, text, raw, out var count, out var truncated);
            if (result.WouldBlock) return;
            if (result.Ok && (result.Count > 0 || count > 0))
            {
                Fd[] fds = [.. raw[..count].Select(fd => new Fd(fd))];
                Sockets.Send(_fd.Raw, Encoding.UTF8.GetBytes(_owner.Answer(fds, truncated)));
            }
            if (_owner._client == this) _owner._client = null;
            Dispose();
        }

        public void Dispose()
        {
            _watch.Dispose();
            _fd.Dispose();
        }
    }
}
