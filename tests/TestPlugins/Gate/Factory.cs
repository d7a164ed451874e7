using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.Gate;

/// <summary>Endpoints that stop at each stage of their life until a test lets them go on.</summary>
[EndpointKind("gate")]
public sealed class Factory : IEndpointFactory
{
    internal static readonly OptionsModel<GateOptions> Model = new(GateJson.Default.GateOptions);

    public OptionsModel Options => Model;

    public IEndpoint Create(EndpointContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var options = Model.Bind(context.Options);
        // A check of a topology makes endpoints too, and gives them nowhere to log to.
        if (context.Logging != NullLoggerFactory.Instance) Turnstile.Pass(options.Create, context.BaseDirectory);
        return new GateEndpoint(options, context.BaseDirectory);
    }

    /// <summary>What lies behind a new endpoint, its creation and start, cannot change; everything else can.</summary>
    public bool CanReconfigure(EndpointContext running, EndpointContext wanted)
    {
        ArgumentNullException.ThrowIfNull(running);
        ArgumentNullException.ThrowIfNull(wanted);
        var (before, after) = (Model.Bind(running.Options), Model.Bind(wanted.Options));
        return running.Mtu == wanted.Mtu && before.Create == after.Create && before.Start == after.Start;
    }
}
