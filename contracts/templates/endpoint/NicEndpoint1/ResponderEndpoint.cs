using System.Net;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Nics;

namespace NicEndpoint1;

/// <summary>One NIC's far end.</summary>
internal sealed partial class ResponderEndpoint : IEndpoint
{
    private readonly EndpointContext _context;
    private readonly ILogger _log;
    private readonly Responder _responder;

    public ResponderEndpoint(EndpointContext context, ResponderOptions options)
    {
        _context = context;
        // By name: a logger for a type would hold the plugin's load context.
        _log = context.Logging.CreateLogger("NicEndpoint1");
        _responder = new Responder(options.ParseAddress()!.Value);
    }

    // Plain frames and one queue. The device does for the guest what is not taken here.
    public EndpointCapabilities Capabilities { get; } = new();

    public LinkState Link => LinkState.Up10G;

    public void Start(IEndpointHost host) => LogStarted(_log, _context.Nic, new IPAddress(_responder.AddressBytes()));

    public IEndpointQueue OpenQueue(EndpointQueueConfig config) => new ResponderQueue(config, _responder);

    public void Inspect(InspectWriter writer)
    {
        writer.Value("address", new IPAddress(_responder.AddressBytes()).ToString());
        writer.Value("arpReplies", _responder.ArpReplies);
        writer.Value("echoReplies", _responder.EchoReplies);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [LoggerMessage(1, LogLevel.Information, "{Nic}: {Address} answers")]
    private static partial void LogStarted(ILogger log, NicIdentity nic, IPAddress address);
}
