using Microsoft.Extensions.Logging;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Linux;

namespace NicDevice1;

/// <summary>
/// One NIC: a listening socket and at most one VMM that is attached to it. The next one waits in the backlog until the first has gone.
/// Everything runs on the NIC's loop.
/// </summary>
internal sealed partial class StreamDevice : IDevice, IFdHandler
{
    private readonly DeviceContext _context;
    private readonly string _path;
    private readonly ILogger _log;
    private INicBackend? _backend;
    private Fd? _listener;
    private IFdWatch? _watch;
    private StreamConnection? _connection;

    public StreamDevice(DeviceContext context, string path)
    {
        (_context, _path) = (context, path);
        // By name: a logger for a type would hold the plugin's load context.
        _log = context.Logging.CreateLogger("NicDevice1");
        var id = context.Nic.Nic;
        AttachHints =
        [
            new AttachHint("QEMU", $"-netdev stream,id={id},server=off,addr.type=unix,addr.path={path} -device virtio-net-pci,netdev={id},mac={context.Mac},host_mtu={context.Mtu}"),
        ];
    }

    public IReadOnlyList<AttachHint> AttachHints { get; }

    public void Start(INicBackend backend)
    {
        _backend = backend;
        try { _listener = UnixSocket.Listen(_path); }
        catch (LinuxException e) { throw new IOException($"Socket {_path}: {e.Message}. Choose a \"socket\" in a folder that exists and that this user may write to.", e); }
        _watch = _context.Loop.Watch(_listener.Raw, FdEvents.Readable, this);
    }

    // The transport has no word for it. The host lets no frame pass while the link is down.
    public void SetLink(LinkState link) { }

    void IFdHandler.OnEvents(FdEvents events)
    {
        var accepted = UnixSocket.Accept(_listener!.Raw);
        if (accepted.Failed) return;
        var socket = new Fd(accepted.Fd);
        _connection = new StreamConnection(socket, _backend!, _context.Mtu, Ended);
        _watch!.Events = FdEvents.None;
        _backend!.ReportAttachment(UnixSocket.GetPeer(socket.Raw, out var peer).Ok ? $"process {peer.ProcessId}" : "a process");
    }

    public void Inspect(InspectWriter writer)
    {
        writer.Value("socket", _path);
        writer.Value("attached", _connection is not null);
        _connection?.Inspect(writer);
    }

    // From a control thread; what it ends lives on the loop.
    public async ValueTask DisposeAsync() => await _context.Loop.InvokeAsync(() =>
    {
        _connection?.Dispose();
        _connection = null;
        _watch?.Dispose();
        if (_listener is null) return;
        _listener.Dispose();
        _listener = null;
        // Ours, unless somebody has put a living one in its place.
        UnixSocket.RemoveStale(_path);
    });

    /// <summary>The VMM has gone, or broke the protocol, which <paramref name="fault"/> then names. The next may come.</summary>
    private void Ended(string? fault)
    {
        _connection?.Dispose();
        _connection = null;
        if (fault is not null) _backend!.ReportGuestFault(fault);
        _backend!.ReportAttachment(null);
        LogEnded(_log, _context.Nic, fault ?? "closed by its peer");
        if (_watch is not null) _watch.Events = FdEvents.Readable;
    }

    [LoggerMessage(1, LogLevel.Debug, "{Nic}: the connection has ended: {Why}")]
    private static partial void LogEnded(ILogger log, NicIdentity nic, string why);
}
