using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Virtio.VhostUser;

/// <summary>Server mode: listens on the socket, takes one front-end at a time and turns others away.</summary>
/// <param name="path">Where.</param>
/// <param name="rights">Rights of the socket file.</param>
/// <param name="loop">The NIC's first loop.</param>
/// <param name="log">Where refusals are told.</param>
/// <param name="admit">Takes a connection, or leaves it to the listener, and says why.</param>
internal sealed partial class Listener(string path, SocketRights rights, IEventLoop loop, ILogger log, Func<Fd, Admission> admit) : IConnectionSource, IFdHandler
{
    // A crowd at the door must not hold the loop.
    private const int AcceptsPerTurn = 16;

    // While the process has no descriptor to spare, the waiting connection would be told again and again.
    private const long PauseMilliseconds = 100;

    // Until it is known whose the file shall be, it is its maker's alone.
    private const uint OwnerOnly = 0x1c0;

    private Fd? _socket;
    private FileRights _made;
    private IFdWatch? _watch;
    private ILoopTimer? _pause;

    public void Start()
    {
        try
        {
            _socket = UnixSocket.Listen(path, UnixSocketType.Stream, rights.Mode & OwnerOnly);
            _made = FileRights.Of(path);
        }
        catch (LinuxException e)
        {
            throw new IOException($"Socket {path}: {e.Message}. {Remedy(e.Errno)}", e);
        }
        try
        {
            SetRights(rights);
        }
        catch
        {
            Dispose();
            throw;
        }
        _watch = loop.Watch(_socket.Raw, FdEvents.Readable, this);
    }

    public void SetRights(SocketRights rights)
    {
        try
        {
            new FileRights(rights.Mode, rights.Owner ?? _made.Owner, rights.Group ?? _made.Group).Apply(path);
        }
        catch (LinuxException e)
        {
            throw new IOException($"Socket {path}: {e.Message}. {RightsRemedy(e.Errno)}", e);
        }
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
            var admission = admit(connection);
            if (admission == Admission.Taken) continue;
            connection.Dispose();
            if (admission == Admission.Busy) Log.TurnedAway(log, path);
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

    private static string RightsRemedy(Errno errno) => errno switch
    {
        Errno.EPERM => "Only root gives files to other users, and others only to groups that they are in: change \"owner\" and \"group\", or run the host as root.",
        Errno.ENOENT => "Somebody has removed the file: end this NIC and start it again.",
        _ => "Change \"socketMode\", \"owner\" and \"group\".",
    };

    private static partial class Log
    {
        [LoggerMessage(10, LogLevel.Warning, "A second front-end on {Path} was turned away: the first one is still attached")]
        public static partial void TurnedAway(ILogger logger, string path);
    }
}
