using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.NetVsp.Vmbus;

/// <summary>What a bus is made with: the NICs that share it must agree on this.</summary>
internal sealed record BusSettings(string Path, uint SocketMode, bool AllowUnsealedMemory, uint MaxVersion);

/// <summary>
/// The VMBus of one VM: a socket, one client at a time, and the NICs on it. Its watches live on the loop of one of them (<see cref="Home"/>) and
/// move when that one goes. Only messages pass here, frames do not; a lock makes them one after the other, whatever thread they come from.
/// </summary>
internal sealed partial class VmBus : IAsyncDisposable
{
    private readonly List<IChannelDevice> _devices = [];
    private readonly Dictionary<IChannelDevice, Action<string?>> _attachments = [];
    private readonly List<Action> _onHome = [];
    private Action? _lastLeft;
    private BusListener? _listener;
    private BusSession? _session;
    private Fd? _waiting;
    private IEventLoop? _home;

    public VmBus(BusSettings settings, ILogger log)
    {
        Settings = settings;
        Log = log;
    }

    public BusSettings Settings { get; }

    public ILogger Log { get; }

    /// <summary>Guards everything of the bus and its session.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The loop that the bus lives on at present.</summary>
    public IEventLoop Home => _home ?? throw new InvalidOperationException("The bus has no NIC.");

    /// <summary>The NICs, in the order in which they came.</summary>
    public IReadOnlyList<IChannelDevice> Devices => _devices;

    /// <summary>Who is attached, or null.</summary>
    public string? Peer { get; private set; }

    /// <summary>The client's session, for people to look at; with the lock held.</summary>
    public BusSession? Session => _session;

    /// <summary>A NIC joins, on its loop. The first one opens the socket.</summary>
    /// <exception cref="IOException">The socket cannot be made; the message names the path and the remedy.</exception>
    public void Join(IChannelDevice device, Action<string?> attachment)
    {
        lock (Gate)
        {
            if (_listener is null)
            {
                var listener = new BusListener(this);
                listener.Open();
                _listener = listener;
            }
            _devices.Add(device);
            _attachments[device] = attachment;
            if (_home is null)
            {
                _home = device.Loop;
                Arm();
            }
            if (_session is null) return;
            attachment(Peer);
            _session.DeviceAdded(device);
        }
    }

    /// <summary>A NIC leaves, on its loop. It is not called any more when <paramref name="left"/> is.</summary>
    public void Leave(IChannelDevice device, Action left)
    {
        lock (Gate)
        {
            if (!_devices.Remove(device))
            {
                left();
                return;
            }
            if (_home == device.Loop) MoveHome();
            if (_devices.Count == 0)
            {
                _listener?.Dispose();
                _listener = null;
                _waiting?.Dispose();
                _waiting = null;
            }
            var session = _session;
            if (session is null) Done();
            else session.DeviceRemoved(device, () =>
            {
                if (_devices.Count > 0) Done();
                else if (_session is null) Done();
                else
                {
                    _lastLeft = Done;
                    session.End(null);
                }
            });

            void Done()
            {
                if (_attachments.Remove(device, out var attachment) && Peer is not null) attachment(null);
                left();
            }
        }
    }

    /// <summary>A client is there: taken when none is, or when the present one is gone without our having noticed yet.</summary>
    /// <returns>False when it is turned away.</returns>
    public bool Take(Fd socket)
    {
        if (_session is { HasEnded: false, IsHungUp: true } gone) gone.End(null);
        if (_session is { HasEnded: false }) return false;
        if (_session is null)
        {
            Attach(socket);
            return true;
        }
        // The last one's channels are still stopping on their loops.
        _waiting?.Dispose();
        _waiting = socket;
        return true;
    }

    /// <summary>A session is over and holds nothing any more.</summary>
    public void Ended(BusSession session)
    {
        if (_session != session) return;
        _session = null;
        Peer = null;
        foreach (var attachment in _attachments.Values) attachment(null);
        var lastLeft = _lastLeft;
        _lastLeft = null;
        lastLeft?.Invoke();
        if (_waiting is not { } waiting || _home is null) return;
        _waiting = null;
        Attach(waiting);
        RearmSoon();
    }

    /// <summary>Records a mistake of the client or its guest.</summary>
    public void ReportFault(string fault)
    {
        LogFault(Log, fault);
        foreach (var device in _devices) device.Report(fault);
    }

    /// <summary>The bus is disposed when its last NIC has left: nothing is left to do but for a NIC that never joined.</summary>
    public ValueTask DisposeAsync()
    {
        lock (Gate)
        {
            _listener?.Dispose();
            _listener = null;
        }
        return ValueTask.CompletedTask;
    }

    private void Attach(Fd socket)
    {
        Peer = UnixSocket.GetPeer(socket.Raw, out var peer).Ok ? $"pid {peer.ProcessId}, uid {peer.UserId}" : "a client";
        _session = new BusSession(socket, this);
        foreach (var attachment in _attachments.Values) attachment(Peer);
        if (Home.IsCurrent) _session.Arm(Home);
    }

    [LoggerMessage(1, LogLevel.Warning, "{Fault}")]
    private static partial void LogFault(ILogger logger, string fault);
}
