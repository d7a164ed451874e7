using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Dio.Shape;

namespace NicHost.Dio;

/// <summary>
/// Direct I/O for one NIC, on whatever kernel: first what a crashed run left is undone, then switch, NIC and port are found or made; at the
/// end what was made is undone in reverse order.
/// </summary>
internal sealed partial class DioEndpoint(EndpointContext context, IKernelNic nic) : IEndpoint, IDescriptorTaker
{
    private readonly ILogger _log = context.Logging.CreateLogger($"Dio.{context.Nic}");
    private IEndpointHost? _host;
    private MadeThings? _made;
    private string? _lastReason;

    public EndpointCapabilities Capabilities => nic.Capabilities;

    public LinkState Link => nic.Link.State;

    public void Start(IEndpointHost host)
    {
        _host = host;
        foreach (var left in nic.UndoLeftovers()) LogLeftover(_log, left);
        _made = nic.Record();
        try
        {
            nic.Start(_made, LinkChanged);
            _lastReason = nic.Link.Reason;
            if (_lastReason is { } reason) host.ReportTrouble(reason);
        }
        catch
        {
            // Nothing half-made stays behind. No queue is open yet, so that it ends at once.
            End().GetAwaiter().GetResult();
            throw;
        }
        foreach (var thing in _made.Things) LogMade(_log, thing.ToString());
    }

    public void ShowLink(bool isUp) => nic.ShowLink(isUp);

    public string Take(IReadOnlyList<SafeHandle> descriptors) => nic.Take(descriptors);

    public IEndpointQueue OpenQueue(EndpointQueueConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return nic.OpenQueue(config);
    }

    public void Inspect(InspectWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        nic.Inspect(writer);
        if (nic.Link.Reason is { } reason) writer.Value("linkDownBecause", reason);
        using (writer.Section("made"))
        {
            foreach (var thing in _made?.Things ?? []) writer.Value(thing.Kind.ToString().ToLowerInvariant(), thing.Name);
        }
    }

    public async ValueTask DisposeAsync() => await await context.Loop.InvokeAsync(End);

    private void LinkChanged()
    {
        var reason = nic.Link.Reason;
        if (reason is not null && reason != _lastReason) _host?.ReportTrouble(reason);
        _lastReason = reason;
        _host?.LinkChanged();
    }

    private async Task End()
    {
        await nic.EndAsync();
        foreach (var failure in Interlocked.Exchange(ref _made, null)?.Undo() ?? []) _host?.ReportTrouble(failure);
    }

    [LoggerMessage(400, LogLevel.Information, "Made {Thing}; it is removed at the end.")]
    private static partial void LogMade(ILogger log, string thing);

    [LoggerMessage(401, LogLevel.Warning, "An earlier run ended without cleaning up: {What}")]
    private static partial void LogLeftover(ILogger log, string what);
}
