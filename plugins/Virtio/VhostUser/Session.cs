using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;
using NicHost.Linux;
using NicHost.Virtio.Net;

namespace NicHost.Virtio.VhostUser;

/// <summary>
/// One front-end, from its connection to its end: reads requests, keeps what they say, and sends plans to the queues. First loop only, never
/// waiting: while queues on other loops change, no further request is read. Whatever the front-end sends, it ends at most this session.
/// </summary>
internal sealed partial class Session : IFdHandler, IDisposable
{
    // Requests of one turn before others of the loop have theirs.
    private const int RequestsPerTurn = 64;

    private readonly Fd _socket;
    private readonly ISessionHost _host;
    private readonly MessageReader _reader;
    private readonly MessageWriter _writer;
    private readonly Vring[] _vrings;
    private readonly MemoryTable _memory = new();
    private readonly List<IDisposable> _dropped = [];
    private IFdWatch? _watch;
    private BackendChannel? _channel;
    private NetFeatures _accepted;
    private ProtocolFeatures _protocol;
    private byte _status;
    private bool _ended;

    public Session(Fd socket, ISessionHost host)
    {
        _socket = socket;
        _host = host;
        _reader = new MessageReader(socket.Raw);
        _writer = new MessageWriter(socket.Raw);
        // Two rings per pair and the control queue's.
        _vrings = [.. Enumerable.Range(0, (host.Pairs.Count * 2) + 1).Select(i => new Vring(i, host.NextEpoch()))];
        _applied = [.. host.Pairs.Select(_ => PairPlan.Idle)];
        _callMessages = [.. _vrings.Select(v => (Action)(() => CallByMessage(v.Index)))];
        _watch = host.Loop.Watch(socket.Raw, FdEvents.Readable, this);
    }

    /// <summary>What the guest accepted.</summary>
    public NetFeatures Accepted => _accepted;

    /// <summary>What the front-end accepted.</summary>
    public ProtocolFeatures Protocol => _protocol;

    /// <summary>The device status, where the front-end tells it.</summary>
    public byte Status => _status;

    /// <summary>The memory table.</summary>
    public IEnumerable<MemoryRegionInfo> Regions => _memory.Regions;

    /// <summary>Whether the front-end was told of a new configuration and has not read it yet.</summary>
    public bool OwesConfigRead { get; private set; }

    /// <summary>Whether it is over but for the queues.</summary>
    public bool HasEnded => _ended;

    /// <summary>Whether the front-end has hung up, as far as the kernel knows at this moment.</summary>
    public bool IsHungUp =>
        _ended || (Io.Poll(_socket.Raw, PollEvents.ReadHangUp, 0) & (PollEvents.HangUp | PollEvents.ReadHangUp | PollEvents.Error)) != 0;

    /// <summary>Whether it can be told of the link: it reads the configuration space and has a channel to be told by that it changed.</summary>
    public bool HearsOfLink => _channel is not null && _protocol.HasFlag(ProtocolFeatures.Config);

    /// <summary>Whether the guest's driver runs: any ring passes frames.</summary>
    public bool IsRunning => Array.Exists(_applied, plan => plan.Rx is { Enabled: true } || plan.Tx is { Enabled: true });

    /// <summary>When it said something last.</summary>
    public long LastRequest { get; private set; }

    public void OnEvents(FdEvents events)
    {
        if (_writer.HasKept && !_writer.Flush())
        {
            End(null);
            return;
        }
        ReadRequests();
    }

    /// <summary>Tells the front-end of a new link state, if it can be told.</summary>
    public void LinkChanged()
    {
        if (!HearsOfLink) return;
        _channel!.ConfigChanged();
        OwesConfigRead = true;
    }

    /// <summary>A queue was stopped for the guest's mistake.</summary>
    /// <param name="firstRing">First ring of the queue.</param>
    /// <param name="reason">What the guest did.</param>
    /// <param name="isFatal">Whether nothing can go on.</param>
    public void QueueFailed(int firstRing, string reason, bool isFatal)
    {
        if (_ended) return;
        if (isFatal)
        {
            End(reason);
            return;
        }
        _host.Backend.ReportGuestFault(reason);
        Log.QueueFailed(_host.Log, reason);
        for (var i = firstRing; i < Math.Min(firstRing + 2, _vrings.Length); i++)
        {
            if (_vrings[i].Error is { } error) EventFd.Signal(error.Raw);
        }
    }

    /// <summary>Ends the session: nothing more is read; the socket closes, and <see cref="ISessionHost.Ended"/> follows, when the queues have stopped.</summary>
    /// <param name="fault">What the front-end did wrong; null when it just left or we stop.</param>
    public void End(string? fault)
    {
        if (_ended) return;
        _ended = true;
        _watch?.Dispose();
        _watch = null;
        _reader.Dispose();
        if (fault is not null)
        {
            _host.Backend.ReportGuestFault(fault);
            Log.Refused(_host.Log, fault);
        }
        if (!IsBusy) TearDown();
    }

    public void Dispose() => End(null);

    private void ReadRequests()
    {
        for (var left = RequestsPerTurn; left > 0 && !_ended && !IsBusy && !_writer.HasKept; left--)
        {
            switch (_reader.Read())
            {
                case MessageReader.Status.Message:
                    Dispatch();
                    break;
                case MessageReader.Status.Closed:
                    End(null);
                    return;
                case MessageReader.Status.Malformed:
                    End(_reader.Fault);
                    return;
                default:
                    left = 0;
                    break;
            }
        }
        Rewatch();
    }

    private void Rewatch()
    {
        if (_ended) return;
        if (IsBusy)
        {
            // Not even a hang-up is of use now, and it would be told again and again.
            _watch?.Dispose();
            _watch = null;
            return;
        }
        var events = _writer.HasKept ? FdEvents.Writable : FdEvents.Readable;
        _watch ??= _host.Loop.Watch(_socket.Raw, events, this);
        _watch.Events = events;
    }

    private void TearDown()
    {
        _tearingDown = true;
        Reconcile(_ =>
        {
            foreach (var vring in _vrings) vring.DropAll(_dropped);
            _memory.Clear(_dropped);
            DisposeDropped();
            _channel?.Dispose();
            _channel = null;
            // Last: a front-end that sees us gone reads from the rings where the next back-end shall go on, and nothing may move them then.
            _socket.Dispose();
            _host.Ended(this);
        });
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Front-end refused: {Reason}")]
        public static partial void Refused(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Warning, "Rings stopped until the guest resets them: {Reason}")]
        public static partial void QueueFailed(ILogger logger, string reason);

        [LoggerMessage(3, LogLevel.Debug, "{Request} {Payload} ({Descriptors} descriptors)")]
        public static partial void Received(ILogger logger, string request, string payload, int descriptors);
    }
}

/// <summary>What a session needs of its NIC.</summary>
internal interface ISessionHost
{
    Contracts.Devices.INicBackend Backend { get; }
    IEventLoop Loop { get; }
    ILogger Log { get; }
    IReadOnlyList<QueuePair> Pairs { get; }
    ControlQueue Control { get; }
    NetConfig Config { get; }
    NetFeatures Offered { get; }
    ProtocolFeatures OfferedProtocol { get; }
    int Mtu { get; }

    /// <summary>A number that was not used before on this NIC.</summary>
    int NextEpoch();

    /// <summary>The front-end has read the link's state.</summary>
    void ConfigRead();

    /// <summary>The queues are as the front-end's last request wants them.</summary>
    void Reconciled();

    /// <summary>The session is over and holds nothing any more.</summary>
    void Ended(Session session);
}
