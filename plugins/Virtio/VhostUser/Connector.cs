using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Virtio.VhostUser;

/// <summary>Client mode: connects to the front-end's socket, and again after each end, with growing pauses while nobody listens.</summary>
/// <param name="path">Where the front-end listens.</param>
/// <param name="loop">The NIC's first loop.</param>
/// <param name="log">Where the first failure of a row is told.</param>
/// <param name="admit">Takes the connection, or leaves it here.</param>
internal sealed partial class Connector(string path, IEventLoop loop, ILogger log, Func<Fd, Admission> admit) : IConnectionSource
{
    /// <summary>The first pause.</summary>
    public const long FirstPauseMilliseconds = 100;

    /// <summary>The longest pause.</summary>
    public const long LongestPauseMilliseconds = 5000;

    private ILoopTimer? _timer;
    private long _pause = FirstPauseMilliseconds;
    private bool _told;

    public void Start()
    {
        _timer = loop.CreateTimer(Try);
        Try();
    }

    public void SetRights(SocketRights rights)
    {
        // The file is the front-end's.
    }

    public void Next()
    {
        // Never at once: a front-end that hangs up on each connection would keep the loop busy.
        _pause = FirstPauseMilliseconds;
        Later();
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _timer = null;
    }

    private void Try()
    {
        var result = UnixSocket.TryConnect(path, UnixSocketType.Stream, out var socket);
        if (socket is not null)
        {
            _told = false;
            if (admit(socket) == Admission.Taken) return;
            socket.Dispose();
            Later();
            return;
        }
        if (!_told) Log.Waiting(log, path, result.ToString());
        _told = true;
        Later();
    }

    private void Later()
    {
        _timer?.Set(_pause);
        _pause = Math.Min(_pause * 2, LongestPauseMilliseconds);
    }

    private static partial class Log
    {
        [LoggerMessage(11, LogLevel.Information, "Waiting for a front-end to listen on {Path}: {Why}")]
        public static partial void Waiting(ILogger logger, string path, string why);
    }
}
