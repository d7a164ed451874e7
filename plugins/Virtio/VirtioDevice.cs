using Microsoft.Extensions.Logging;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Linux;
using NicHost.Virtio.Net;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio;

/// <summary>A virtio network card behind a vhost-user socket: one front-end at a time, any number one after the other.</summary>
internal sealed partial class VirtioDevice : IDevice, ISessionHost
{
    // How long the last session may take to read that the link is down.
    private const long LingerMilliseconds = 200;

    private readonly DeviceContext _context;
    private readonly ILogger _log;
    private readonly string _path;
    private readonly LinkByMessage _told;
    private readonly LinkByReconnect _untold;
    private readonly Func<Fd, int> _processOf;
    private VirtioOptions _options;
    private SocketRights _rights;
    private QueuePair[] _pairs = [];
    private INicBackend? _backend;
    private ControlQueue? _control;
    private IConnectionSource? _source;
    private Session? _session;
    private TaskCompletionSource? _ending;
    private ILoopTimer? _linger;
    private int _epoch;

    /// <param name="context">What the device is made from.</param>
    /// <param name="options">The options in it.</param>
    /// <param name="processOf">Which process is at the other end of a connection, 0 when it is out of our sight; null: the kernel is asked.</param>
    public VirtioDevice(DeviceContext context, VirtioOptions options, Func<Fd, int>? processOf = null)
    {
        _processOf = processOf ?? (static socket => UnixSocket.GetPeer(socket.Raw, out var peer).Ok ? peer.ProcessId : 0);
        _context = context;
        _options = options;
        _rights = VirtioOptionsCheck.Rights(options);
        _log = context.Logging.CreateLogger($"Virtio.{context.Nic}");
        _path = Path.GetFullPath(options.Socket, context.BaseDirectory);
        _told = new LinkByMessage(context.Loop);
        _untold = new LinkByReconnect(context.Loop, HangUp) { IsOn = options.HangsUp };
        Config = new NetConfig(context.Mac, context.Mtu, options.Queues);
    }

    public IReadOnlyList<AttachHint> AttachHints => Hints.For(_context, _options, _path, _pairs.Length == 0 ? _options.Queues : _pairs.Length);
    public INicBackend Backend => _backend!;
    public IEventLoop Loop => _context.Loop;
    public ILogger Log => _log;
    public IReadOnlyList<QueuePair> Pairs => _pairs;
    public ControlQueue Control => _control!;
    public NetConfig Config { get; private set; }
    public NetFeatures Offered { get; private set; }
    public ProtocolFeatures OfferedProtocol { get; private set; }
    public int Mtu => _context.Mtu;

    public int NextEpoch() => ++_epoch;

    public void Start(INicBackend backend)
    {
        _backend = backend;
        var queues = Math.Min(_options.Queues, backend.MaxQueues);
        Config = new NetConfig(_context.Mac, Mtu, queues) { Link = backend.Link };
        _told.Start(Config);
        _untold.Changed(backend.Link.IsUp);
        Offered = NetFeatureMap.Offer(backend.Endpoint.TxAccepts, backend.Endpoint.RxGives, queues);
        OfferedProtocol = Protocols(queues);
        // A tag may come on top of the MTU.
        var maxFrame = Math.Min(FrameLimits.EthernetHeader + 4 + Mtu, FrameLimits.MaxFrame);
        _pairs = [.. Enumerable.Range(0, queues).Select(i => new QueuePair(i, backend, maxFrame, (why, fatal) => OnFault(i * 2, why, fatal)))];
        var state = new ControlState(queues, _context.Mac);
        _control = new ControlQueue(Loop, backend.Counters(0), state, (why, fatal) => OnFault(_pairs.Length * 2, why, fatal));
        _source = _options.Mode == SocketRole.Server
            ? new Listener(_path, _rights, Loop, _log, Admit)
            : new Connector(_path, Loop, _log, Admit);
        _source.Start();
    }

    public void Reconfigure(DeviceContext wanted)
    {
        var options = VirtioFactory.Read(wanted);
        var rights = VirtioOptionsCheck.Rights(options);
        var source = _source ?? throw new InvalidOperationException("The device is not started.");
        if (rights != _rights) source.SetRights(rights);
        (_options, _rights) = (options, rights);
        _untold.IsOn = options.HangsUp;
        _untold.Review();
    }

    public void SetLink(LinkState link)
    {
        _told.Changed(link);
        _untold.Changed(link.IsUp);
        // Where we connect, the front-end that was sent away waits for us.
        if (link.IsUp && _session is null) _source?.Next();
    }

    public async ValueTask DisposeAsync()
    {
        var ended = await Loop.InvokeAsync(Stop);
        await ended;
    }

    private static ProtocolFeatures Protocols(int queues, bool inBand) =>
        ProtocolFeatures.ReplyAck | ProtocolFeatures.Mtu | ProtocolFeatures.BackendReq | ProtocolFeatures.Config
        | ProtocolFeatures.ResetDevice | ProtocolFeatures.ConfigureMemSlots | ProtocolFeatures.Status
        | (queues > 1 ? ProtocolFeatures.Mq : 0) | (inBand ? ProtocolFeatures.InbandNotifications : 0);

    private ProtocolFeatures Protocols(int queues) => Protocols(queues, _options.InBandNotifications);

    private Task Stop()
    {
        if (_ending is not null) return _ending.Task;
        _ending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _source?.Dispose();
        _told.Dispose();
        _untold.Dispose();
        if (_session is null) _ending.SetResult();
        else if (!_session.OwesConfigRead) _session.End(null);
        else
        {
            // A guest that is just being told of the link's end learns it from us or never (UML).
            _linger = Loop.CreateTimer(() => _session?.End(null));
            _linger.Set(LingerMilliseconds);
        }
        return _ending.Task;
    }
}
