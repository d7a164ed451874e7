using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.NetVsp.Vmbus;

/// <summary>Listens on the bus's socket, takes one client at a time and turns others away.</summary>
internal sealed partial class BusListener(VmBus bus) : IFdHandler, IDisposable
{
    // A crowd at the door must not hold the loop.
    private const int AcceptsPerTurn = 16;

    // While the process has no descriptor to spare, the waiting connection would be told again and again.
    private const long PauseMilliseconds = 100;

    private Fd? _socket;
    private IFdWatch? _watch;
    private ILoopTimer? _pause;

    /// <exception cref="IOException">The socket cannot be made; the message names the path and the remedy.</exception>
    public void Open()
    {
        var path = bus.Settings.Path;
        try
        {
            _socket = UnixSocket.Listen(path, UnixSocketType.SeqPacket, bus.Settings.SocketMode);
        }
        catch (LinuxException e)
        {
            throw new IOException($"Socket {path}: {e.Message}. {Remedy(e.Errno)}", e);
        }
    }

    /// <summary>Takes clients on this loop.</summary>
    public void Arm(IEventLoop loop)
    {
        if (_socket is null || _watch is not null) return;
        _watch = loop.Watch(_socket.Raw, FdEvents.Readable, this);
        _pause = loop.CreateTimer(() =>
        {
            if (_watch is not null) _watch.Events = FdEvents.Readable;
        });
    }

    /// <summary>Takes none, on the thread of the loop that it was armed on.</summary>
    public void Disarm()
    {
        _watch?.Dispose();
        _watch = null;
        _pause?.Dispose();
        _pause = null;
    }

    public void OnEvents(FdEvents events)
    {
        lock (bus.Gate)
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
                if (bus.Take(connection)) continue;
                connection.Dispose();
                TurnedAway(bus.Log, bus.Settings.Path);
            }
        }
    }

    public void Dispose()
    {
        Disarm();
        if (_socket is null) return;
        _socket.Dispose();
        _socket = null;
        // Ours, unless somebody has put a living one in its place.
        UnixSocket.RemoveStale(bus.Settings.Path, UnixSocketType.SeqPacket);
    }

    private void Pause()
    {
        if (_watch is null) return;
        _watch.Events = FdEvents.None;
        _pause!.Set(PauseMilliseconds);
    }

    private static string Remedy(Errno errno) => errno switch
    {
        Errno.EADDRINUSE => "Another process serves it: stop that one, or give this VM's NICs another \"socket\".",
        Errno.ENOENT => "Make the folder first.",
        Errno.EACCES or Errno.EPERM or Errno.EROFS => "Choose a folder that this user may write to.",
        _ => "Choose another \"socket\".",
    };

    [LoggerMessage(10, LogLevel.Warning, "A second client on {Path} was turned away: the first one is still attached")]
    private static partial void TurnedAway(ILogger logger, string path);
}
