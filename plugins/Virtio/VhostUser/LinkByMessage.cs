using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Virtio.Net;

namespace NicHost.Virtio.VhostUser;

/// <summary>
/// The link in the configuration space, and word of its changes to a front-end that can be told. A guest looks at what is, not at what was: a link that
/// came back before it looked was never gone. So one that went down stays down in its eyes for a second, and until it has looked. First loop only.
/// </summary>
internal sealed class LinkByMessage(IEventLoop loop) : IDisposable
{
    /// <summary>As long as QEMU takes to connect again. Linux tells its programs of links about once a second.</summary>
    public const long DownMilliseconds = 1000;

    /// <summary>A guest that has not looked by then has no driver, or never will.</summary>
    public const long PatienceMilliseconds = 5000;

    private NetConfig? _config;
    private Session? _session;
    private ILoopTimer? _timer;
    private LinkState _link;
    private long _downSince = long.MinValue / 2;

    public void Start(NetConfig config)
    {
        _config = config;
        _link = config.Link;
    }

    public void Attached(Session session) => _session = session;

    public void Ended()
    {
        _session = null;
        Review();
    }

    public void Changed(LinkState link)
    {
        _link = link;
        Review();
    }

    /// <summary>Shows what is to be shown now; called again when the front-end has looked.</summary>
    public void Review()
    {
        if (_config is not { } config || config.Link == _link) return;
        if (_link.IsUp && !config.Link.IsUp && _session is { HasEnded: false, HearsOfLink: true } session)
        {
            var left = _downSince + (session.OwesConfigRead ? PatienceMilliseconds : DownMilliseconds) - loop.NowMilliseconds;
            if (left > 0)
            {
                _timer ??= loop.CreateTimer(Review);
                _timer.Set(left);
                return;
            }
        }
        if (!_link.IsUp) _downSince = loop.NowMilliseconds;
        config.Link = _link;
        _session?.LinkChanged();
    }

    public void Dispose() => _timer?.Dispose();
}
