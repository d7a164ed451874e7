using System.Globalization;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using Samples.Switch.Fabric;

namespace Samples.Switch;

/// <summary>One NIC's cable to a switch.</summary>
internal sealed partial class SwitchEndpoint : IEndpoint
{
    private const OffloadSet Everything = OffloadSet.Checksum | OffloadSet.AllGso | OffloadSet.Vlan;
    private const long SweepMilliseconds = 30_000;

    private readonly EndpointContext _context;
    private readonly SwitchOptions _options;
    private readonly Port _port;
    private readonly ILogger _log;
    private Lan? _lan;
    private ILoopTimer? _sweep;
    private SwitchQueue? _queue;

    public SwitchEndpoint(EndpointContext context, SwitchOptions options)
    {
        (_context, _options) = (context, options);
        _port = new Port(context, options);
        _log = context.Logging.CreateLogger("Samples.Switch");
    }

    // Super-frames pass whole to a guest that takes them; for one that does not they are divided on its side.
    public EndpointCapabilities Capabilities { get; } = new() { TxAccepts = Everything, RxGives = Everything };

    public LinkState Link => LinkState.Up10G;

    public void Start(IEndpointHost host)
    {
        var lan = Lans.Take(_options.Name, _options.Vlan);
        if (lan.Join(_port) is { } other)
        {
            Lans.Release(lan);
            throw new IOException($"Switch {lan.Name}: {other.Nic} has the address {_port.Address} already. Give one of the two another \"mac\".");
        }
        _lan = lan;
        _sweep = _context.Loop.CreateTimer(Sweep);
        _sweep.Set(SweepMilliseconds);
        LogJoined(_log, _context.Nic, lan.Name, VlanText, lan.Ports.Length);
    }

    public IEndpointQueue OpenQueue(EndpointQueueConfig config) => _queue = new SwitchQueue(config, _lan!, _port);

    public void Reconfigure(EndpointContext wanted)
    {
        var options = SwitchOptions.Model.Bind(wanted.Options);
        (_port.IsIsolated, _port.MaxLearned) = (options.Isolated, options.MaxAddresses - 1);
        if (_port.Learned > _port.MaxLearned) _lan!.Forget(_port);
    }

    public void Inspect(InspectWriter writer)
    {
        writer.Value("switch", _options.Name);
        writer.Value("vlan", VlanText);
        writer.Value("isolated", _port.IsIsolated);
        writer.Value("addresses", 1 + _port.Learned);
        writer.Value("unicast", _queue?.Unicast ?? 0);
        writer.Value("flooded", _queue?.Flooded ?? 0);
        _port.Inspect(writer);
        if (_lan is not null) LanTree.Write(writer, _lan, _context.Loop.NowMilliseconds);
    }

    // From a control thread; what it takes away is the loop's.
    public ValueTask DisposeAsync() => _lan is null ? ValueTask.CompletedTask : new ValueTask(_context.Loop.InvokeAsync(End));

    private string VlanText => _options.Vlan?.ToString(CultureInfo.InvariantCulture) ?? "none";

    private void End()
    {
        if (_lan is not { } lan) return;
        _lan = null;
        _sweep!.Dispose();
        _queue?.Close();
        lan.Leave(_port);
        Lans.Release(lan);
    }

    private void Sweep()
    {
        _lan?.Forget(_port, _context.Loop.NowMilliseconds);
        _sweep!.Set(SweepMilliseconds);
    }

    [LoggerMessage(1, LogLevel.Information, "{Nic}: on switch {Switch}, VLAN {Vlan}, with {Ports} ports now")]
    private static partial void LogJoined(ILogger log, NicIdentity nic, string @switch, string vlan, int ports);
}
