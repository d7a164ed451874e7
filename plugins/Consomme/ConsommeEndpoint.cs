using NicHost.Consomme.Core;
using NicHost.Consomme.Icmp;
using NicHost.Consomme.Options;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;

namespace NicHost.Consomme;

/// <summary>A NAT in user mode for one NIC.</summary>
internal sealed class ConsommeEndpoint : IEndpoint
{
    public const int MaxQueues = 8;
    private readonly EndpointContext _context;
    private readonly ConsommeSettings _settings;
    private readonly Network _network;
    private readonly GuestPort _port;
    private Nat? _nat;

    public ConsommeEndpoint(EndpointContext context, ConsommeSettings settings)
    {
        _context = context;
        _settings = settings;
        _network = settings.Network(context.Mac, context.Mtu);
        _port = new GuestPort(context.Loop);
    }

    public EndpointCapabilities Capabilities { get; } = new()
    {
        // Header checksums are not looked at where a sender may leave them open, so that costs nothing to take.
        TxAccepts = OffloadSet.Checksum | OffloadSet.AllGso | OffloadSet.Ipv4HeaderChecksum,
        RxGives = OffloadSet.Checksum | OffloadSet.AllGso,
        MaxQueues = MaxQueues,
        Threading = QueueThreading.SharedLoop,
    };

    public LinkState Link => LinkState.Up10G;

    public void Start(IEndpointHost host) => _nat = new Nat(new NatContext
    {
        Network = _network,
        Port = _port,
        Loop = _context.Loop,
        Icmp = new IcmpErrors(_network, _port, _context.Loop),
        Model = new NatModel(_network, _settings),
        GuestAddresses = new GuestAddresses(_network),
        Logger = _context.Logging.CreateLogger($"Consomme.{_context.Nic}"),
        ReportTrouble = host.ReportTrouble,
        Meters = _context.Meters,
    });

    public IEndpointQueue OpenQueue(EndpointQueueConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var nat = Running;
        _port.Open(config);
        return new ConsommeQueue(nat, _port, config);
    }

    public void Reconfigure(EndpointContext wanted)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        Running.Reconfigure(new NatModel(_network, ConsommeFactory.Settings(wanted)));
    }

    public void Inspect(InspectWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        using (writer.Section("network"))
        {
            writer.Value("guest", _network.GuestV4.ToString());
            writer.Value("gateway", _network.GatewayV4.ToString());
            writer.Value("dns", _network.DnsV4.ToString());
            writer.Value("prefix", _network.PrefixLength);
            if (_network.HasV6) writer.Value("ipv6Prefix", $"{new IpAddr(_network.PrefixV6, 0)}/64");
        }
        _nat?.Inspect(writer);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _nat, null) is { } nat) await _context.Loop.InvokeAsync(nat.Dispose);
    }

    private Nat Running => _nat ?? throw new InvalidOperationException("The endpoint is not started.");
}
