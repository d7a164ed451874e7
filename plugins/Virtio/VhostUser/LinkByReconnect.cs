using NicHost.Contracts.Loops;

namespace NicHost.Virtio.VhostUser;

/// <summary>
/// Shows a link that is down where a front-end cannot be told of it. QEMU keeps the configuration space of its network cards to itself, but shows its
/// guest an unplugged cable while its back-end is gone: so its session ends, and it is not taken back while the link is down. The guest's rings
/// outlive that, and so do the endpoint's flows.
/// </summary>
/// <remarks>
/// A front-end that is new is taken in any case, because a VMM does nothing else before its first handshake: its session ends once its guest's
/// driver runs. What tells it from one that comes back is its process. First loop only.
/// </remarks>
internal sealed class LinkByReconnect(IEventLoop loop, Action<Session> hangUp) : IDisposable
{
    /// <summary>How long a front-end must have been silent: one in the middle of starting its rings would take the end for a failure.</summary>
    public const long QuietMilliseconds = 250;

    private ILoopTimer? _timer;
    private Session? _session;
    private int _process;
    private bool _isUp = true;
    private bool _owed;

    /// <summary>Whether it is wanted at all.</summary>
    public bool IsOn { get; set; }

    /// <summary>The process of the front-end that was sent away last.</summary>
    public int? Away { get; private set; }

    /// <summary>Whether that one waits for the link.</summary>
    public bool KeepsAway => IsOn && !_isUp && _session is null && Away is not null;

    /// <summary>Whether a front-end is sent away at once.</summary>
    public bool Keeps(int process) => IsOn && !_isUp && process == Away;

    public void Attached(Session session, int process)
    {
        (_session, _process, _owed) = (session, process, !_isUp);
    }

    public void Ended()
    {
        _session = null;
        _timer?.Cancel();
    }

    public void Changed(bool isUp)
    {
        _isUp = isUp;
        // A guest whose driver runs sees also a link that went down for a moment only; one that does not has nothing to forget.
        if (!isUp) _owed = true;
        else if (_session is { IsRunning: false }) _owed = false;
        Review();
    }

    /// <summary>The front-end has said something, or the options are others.</summary>
    public void Review()
    {
        if (!_owed || !IsOn || _session is not { HasEnded: false, IsRunning: true, HearsOfLink: false } session) return;
        var left = session.LastRequest + QuietMilliseconds - loop.NowMilliseconds;
        if (left > 0)
        {
            _timer ??= loop.CreateTimer(Review);
            _timer.Set(left);
            return;
        }
        _owed = false;
        Away = _process;
        hangUp(session);
    }

    public void Dispose() => _timer?.Dispose();
}
