using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Virtio.VhostUser;

/// <summary>
/// Our requests to the front-end, on the socket that SET_BACKEND_REQ_FD brought. No answer is asked for, so nothing is read. A front-end that
/// does not read finds each kind of message once, however often it was due.
/// </summary>
internal sealed class BackendChannel : IFdHandler, IDisposable
{
    private readonly Fd _socket;
    private readonly IEventLoop _loop;
    private readonly MessageWriter _writer;
    private readonly SortedSet<int> _dueCalls = [];
    private IFdWatch? _watch;
    private bool _dueConfig;
    private bool _broken;

    public BackendChannel(Fd socket, IEventLoop loop)
    {
        _socket = socket;
        _loop = loop;
        Io.SetNonBlocking(socket.Raw, true);
        _writer = new MessageWriter(socket.Raw);
    }

    /// <summary>The configuration space has changed.</summary>
    public void ConfigChanged()
    {
        _dueConfig = true;
        Send();
    }

    /// <summary>A ring's used index has moved (in-band notifications).</summary>
    public void Call(int ring)
    {
        _dueCalls.Add(ring);
        Send();
    }

    public void OnEvents(FdEvents events)
    {
        _broken |= !_writer.Flush();
        Send();
    }

    public void Dispose()
    {
        _watch?.Dispose();
        _socket.Dispose();
    }

    private void Send()
    {
        while (!_broken && !_writer.HasKept && (_dueConfig || _dueCalls.Count > 0)) SendNext();
        if (_writer.HasKept && !_broken) _watch ??= TryWatch();
        else
        {
            _watch?.Dispose();
            _watch = null;
        }
    }

    private void SendNext()
    {
        if (_dueConfig)
        {
            _dueConfig = false;
            _broken = !_writer.Send((uint)BackendRequest.ConfigChange, 0, []);
            return;
        }
        var ring = _dueCalls.Min;
        _dueCalls.Remove(ring);
        Span<byte> state = stackalloc byte[8];
        BitConverter.TryWriteBytes(state, ring);
        BitConverter.TryWriteBytes(state[4..], 0);
        _broken = !_writer.Send((uint)BackendRequest.VringCall, 0, state);
    }

    private IFdWatch? TryWatch()
    {
        try
        {
            return _loop.Watch(_socket.Raw, FdEvents.Writable, this);
        }
        catch (InvalidOperationException)
        {
            // Whatever the front-end sent as its channel, it cannot be waited for.
            _broken = true;
            return null;
        }
    }
}
