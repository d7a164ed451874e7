using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;

namespace NicHost.TestPlugins.Gate;

internal sealed class GateEndpoint(GateOptions options, string folder) : QuietEndpoint
{
    private GateOptions _options = options;
    private bool _started;
    private int _changes;

    public override void Start(IEndpointHost host)
    {
        _started = true;
        Turnstile.Pass(_options.Start, folder);
    }

    public override void Reconfigure(EndpointContext wanted)
    {
        var next = Factory.Model.Bind(wanted.Options);
        Turnstile.Pass(next.Reconfigure, folder);
        if (next.Refuses) throw new IOException("This endpoint refuses to change. Leave out \"refuses\".");
        _options = next;
        _changes++;
    }

    public override void Inspect(InspectWriter writer)
    {
        writer.Value("label", _options.Label);
        writer.Value("changes", _changes);
    }

    protected override ValueTask StopAsync() => _started ? new ValueTask(Turnstile.PassAsync(_options.Stop, folder)) : ValueTask.CompletedTask;
}
