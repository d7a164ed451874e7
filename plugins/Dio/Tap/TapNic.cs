using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Dio.Options;
using NicHost.Dio.Shape;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>A TAP and its place in a switch. What the guest's queues need of it they get here, each on its own loop.</summary>
internal sealed partial class TapNic : IKernelNic, IDisposable
{
    // UDP super-frames through a TAP: Linux 6.2.
    private static readonly bool HasUso = Environment.OSVersion.Version >= new Version(6, 2);
    private const OffloadSet Uso = OffloadSet.UsoV4 | OffloadSet.UsoV6;

    private readonly EndpointContext _context;
    private readonly DioSettings _settings;
    private readonly ISwitch? _switch;
    private readonly Lock _gate = new();
    private readonly List<DioQueue> _queues = [];
    private readonly RecordFolder _records = new(StatePath.Runs);
    private TapDevice? _tap;
    private bool _isCableIn = true;
    private volatile NicLink _link = NicLink.Down("not started");
    private Action? _linkChanged;
    private MadeThings? _made;

    public TapNic(EndpointContext context, DioSettings settings)
    {
        (_context, _settings) = (context, settings);
        _switch = settings.Switch switch
        {
            null => null,
            { Type: SwitchType.OpenVSwitch } => new OpenVSwitch(settings),
            _ => new Bridge(settings, context.Mtu),
        };
        var all = OffloadSet.Checksum | OffloadSet.AllGso;
        Capabilities = new EndpointCapabilities
        {
            // What the kernel cannot do is done in software before it.
            TxAccepts = all | OffloadSet.Vlan | OffloadSet.Ipv4HeaderChecksum,
            RxGives = !settings.Nic.Offloads ? OffloadSet.None : HasUso ? all : all & ~Uso,
            MaxQueues = FindQueues(settings.Nic),
        };
    }

    public EndpointCapabilities Capabilities { get; }

    public NicLink Link => _link;

    public IReadOnlyList<string> UndoLeftovers() => MadeThings.UndoLeftovers(_records, StatePath.Namespace, LinuxUndo.Undo);

    public MadeThings Record() => _made = new MadeThings(new MadeBy(_context.Nic.ToString(), StatePath.Namespace), _records, LinuxUndo.Undo);

    public void Start(MadeThings made, Action linkChanged)
    {
        _made = made;
        _linkChanged = linkChanged;
        _rtnl = new Rtnl();
        _switch?.Ensure(_rtnl, made);
        Watch();
        if (_settings.Nic.Socket is { } socket) Listen(Path.GetFullPath(socket, _context.BaseDirectory));
        else if (_settings.Nic.Name is { } name) Adopt(OpenNamed(name, _settings.Nic.Create));
        _link = Evaluate();
    }

    public IEndpointQueue OpenQueue(EndpointQueueConfig config)
    {
        var queue = new DioQueue(this, config, KernelAccepts);
        TapDevice? tap;
        lock (_gate)
        {
            _queues.Add(queue);
            tap = _tap;
        }
        if (tap is not null) Attach(queue, tap);
        return queue;
    }

    /// <summary>On the queue's loop.</summary>
    public void QueueClosed(DioQueue queue)
    {
        lock (_gate)
        {
            _queues.Remove(queue);
            ShowCarrier();
        }
    }

    public void ShowLink(bool isUp)
    {
        lock (_gate)
        {
            _isCableIn = isUp;
            ShowCarrier();
        }
    }

    public Task EndAsync()
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        Unwatch();
        lock (_gate)
        {
            _tap?.Dispose();
            _tap = null;
        }
        _rtnl?.Dispose();
        _rtnl = null;
    }

    public void Inspect(InspectWriter writer)
    {
        string? name;
        int open;
        long copied;
        lock (_gate) (name, open, copied) = (_tap?.Name, _queues.Count, _queues.Sum(queue => queue.Copied));
        writer.Value("switch", _settings.Switch?.Name);
        writer.Value("nic", name ?? _settings.Nic.Name);
        writer.Value("nicIsThere", name is not null);
        writer.Value("queues", open);
        writer.Value("framesCopied", copied);
    }

    private OffloadSet KernelAccepts => !_settings.Nic.Offloads || _switch?.TakesWholeFramesOnly == true ? OffloadSet.None
        : OffloadSet.Checksum | (HasUso ? OffloadSet.AllGso : OffloadSet.AllGso & ~Uso);

    /// <summary>On the queue's loop.</summary>
    private void Attach(DioQueue queue, TapDevice tap)
    {
        try
        {
            queue.Attach(tap);
            lock (_gate) ShowCarrier();
        }
        catch (LinuxException e) when (e.Errno is Errno.EBADFD or Errno.ENODEV) { TapLost(); }
        catch (ObjectDisposedException) { TapLost(); }
    }

    /// <summary>The kernel's side has a carrier while the cable is in and the guest listens. Under the lock.</summary>
    private void ShowCarrier() => _tap?.SetCarrier(_isCableIn && _queues.Count > 0);

    private static int FindQueues(NicOptions nic)
    {
        if (nic.Create || nic.Name is null) return nic.Queues;
        try
        {
            using var rtnl = new Rtnl();
            return rtnl.Find(nic.Name)?.Tun is { IsMultiQueue: true } ? nic.Queues : 1;
        }
        // Start says it with more words.
        catch (IOException) { return 1; }
    }
}
