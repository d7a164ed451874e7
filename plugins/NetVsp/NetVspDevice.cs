using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.NetVsp.Net;
using NicHost.NetVsp.Nvsp;
using NicHost.NetVsp.Vmbus;

namespace NicHost.NetVsp;

/// <summary>A synthetic network card on its VM's bus: its control side, and a queue for each channel.</summary>
internal sealed partial class NetVspDevice : IDevice
{
    private readonly DeviceContext _context;
    private readonly NetVspOptions _options;
    private readonly ILogger _log;
    private readonly BusSettings _busSettings;
    private readonly NvspControl _control;
    private NetQueue[] _queues = [];
    private INicBackend? _backend;
    private SharedLease<VmBus>? _bus;

    public NetVspDevice(DeviceContext context, NetVspOptions options)
    {
        _context = context;
        _options = options;
        _log = context.Logging.CreateLogger($"NetVsp.{context.Nic}");
        _busSettings = new BusSettings(
            Path.GetFullPath(options.Socket, context.BaseDirectory),
            NetVspOptionsCheck.ParseMode(options.SocketMode)!.Value,
            options.AllowUnsealedMemory,
            VmbusVersions.Parse(options.VmbusVersion)!.Value);
        Instance = InstanceOf(context.Nic);
        _control = new NvspControl(this);
    }

    public IReadOnlyList<AttachHint> AttachHints =>
        [new AttachHint("VMBus", $"SOCK_SEQPACKET at {_busSettings.Path}, see docs/vmbus-socket.md")];

    private INicBackend Backend => _backend ?? throw new InvalidOperationException("The NIC was not started.");

    public void Start(INicBackend backend)
    {
        ArgumentNullException.ThrowIfNull(backend);
        _backend = backend;
        MaxQueues = Math.Min(_options.Queues, backend.MaxQueues);
        // A tag may come on top of the MTU.
        var maxFrame = Math.Min(FrameLimits.EthernetHeader + 4 + _context.Mtu, FrameLimits.MaxFrame);
        _queues = [.. Enumerable.Range(0, MaxQueues).Select(i => new NetQueue(i, backend, this, maxFrame))];
        _bus = _context.Vm.Share($"vmbus {_busSettings.Path}", () => new VmBus(_busSettings, _context.Logging.CreateLogger($"NetVsp.{_context.Nic.Vm}")));
        if (_bus.Value.Settings != _busSettings)
            throw new IOException($"Another NIC of this VM gave {_busSettings.Path} other options: NICs that share a bus must agree on socketMode, allowUnsealedMemory and vmbusVersion.");
        _bus.Value.Join(this, backend.ReportAttachment);
    }

    public void SetLink(LinkState link) => _control.LinkChanged(link);

    public void Inspect(InspectWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        InspectBus(writer);
        InspectNvsp(writer);
        for (var i = 0; i < _queues.Length; i++)
        {
            using (writer.Section($"queue{i}")) _queues[i].Inspect(writer);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_bus is not { } bus) return;
        _bus = null;
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _context.Loop.InvokeAsync(() => bus.Value.Leave(this, () => left.TrySetResult()));
        await left.Task;
        await bus.DisposeAsync();
    }

    /// <summary>Names the card on the bus: guests keep settings by it.</summary>
    private static Guid InstanceOf(NicIdentity nic)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"netvsp\0{nic.Vm}\0{nic.Nic}"), hash);
        return new Guid(hash[..16]);
    }

    private static partial class Log
    {
        [LoggerMessage(20, LogLevel.Warning, "Channel {Index} stopped until the guest closes it: {Reason}")]
        public static partial void ChannelFailed(ILogger logger, int index, string reason);
    }
}
