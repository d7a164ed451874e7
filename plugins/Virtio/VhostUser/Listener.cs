using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Virtio.VhostUser;

/// <summary>Server mode: listens on the socket, takes one front-end at a time and turns others away.</summary>
/// <param name="path">Where.</param>
/// <param name="mode">Rights of the socket file.</param>
/// <param name="loop">The NIC's first loop.</param>
/// <param name="log">Where refusals are told.</param>
/// <param name="taken">Takes a connection; false while another lives, the connection then staying the listener's.</param>
internal sealed partial class Listener(string path, uint mode, IEventLoop loop, ILogger log, Func<Fd, bool> taken) : IConnectionSource, IFdHandler
{
    // A crowd at the door must not hold the loop.
    private const int AcceptsPerTurn = 16;

    private Fd? _socket;
    // While the process has no descriptor to spare, the waiting connection would be told again and again.
    private const long PauseMilliseconds = 100;

    private IFdWatch? _watch;
    private ILoopTimer? _pause;

    public void Start()
    {
        try
        {
            _socket = UnixSocket.Listen(path, UnixSocketType.Stream, mode);
        }
        catch (LinuxException e)
        {
            throw new IOException($"Socket {path}: {e.Message}. {Remedy(e.Errno)}", e);
        }
        _watch = loop.Watch(_socket.Raw, FdEvents.Readable, this);
    }

    public void Next() { }

    public void OnEvents(FdEvents events)
    {
        for (var i = 0; i < AcceptsPerTurn && _socket is not null; i++)
        {
            var accepted = UnixSocket.Accept(_socket.Raw);
            if (accepted.Failed)
            {
                if (!accepted.WouldBlock) Pause();
                return;
            }
            var connection = new Fd(accepted.Fd);
            if (taken(connection)) continue;
            connection.Dispose();
            Log.TurnedAway(log, path);
        }
    }

    public void Dispose()
    {
        _watch?.Dispose();
        _pause?.Dispose();
        if (_socket is null) return;
        _socket.Dispose();
        _socket = null;
        // Ours, unless somebody has put a living one in its place.
        UnixSocket.RemoveStale(path);
    }

    private void Pause()
    {
        if (_watch is null) return;
        _watch.Events = FdEvents.None;
        _pause ??= loop.CreateTimer(() => _watch.Events = FdEvents.Readable);
        _pause.Set(PauseMilliseconds);
    }

    private static string Remedy(Errno errno) => errno switch
    {
        Errno.EADDRINUSE => "Another process serves it: stop that one, or give this NIC another \"socket\".",
        Errno.ENOENT => "Make the folder first.",
        Errno.EACCES or Errno.EPERM or Errno.EROFS => "Choose a folder that this user may write to.",
        _ => "Choose another \"socket\".",
    };

    private static partial class Log
    {
        [LoggerMessage(10, LogLevel.Warning, "A second front-end on {Path} was turned away: the first one is still attached")]
        public static partial void TurnedAway(ILogger logger, string path);
    }
}
