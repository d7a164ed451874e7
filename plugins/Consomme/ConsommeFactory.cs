using NicHost.Consomme.Options;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.Consomme;

/// <summary>Makes the endpoint of kind <c>consomme</c>.</summary>
[EndpointKind("consomme")]
public sealed class ConsommeFactory : IEndpointFactory
{
    private static readonly OptionsModel<ConsommeOptions> Model =
        new(ConsommeJson.Default.ConsommeOptions, static (options, faults) => ConsommeSettings.Read(options, faults));

    /// <inheritdoc/>
    public OptionsModel Options => Model;

    /// <inheritdoc/>
    public IReadOnlyList<ResourceClaim> Claims(EndpointContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var options = Model.Bind(context.Options);
        return [.. ConsommeSettings.Read(options, []).Forwards.Where(forward => forward.HostPort != 0).Select(forward => new ResourceClaim(
            $"{(forward.IsTcp ? "tcp" : "udp")} {forward.Host} port {forward.HostPort}", $"$.forwards[{options.Forwards.ToList().IndexOf(forward.Text)}]"))];
    }

    /// <inheritdoc/>
    public IEndpoint Create(EndpointContext context) => new ConsommeEndpoint(context, Settings(context));

    /// <inheritdoc/>
    /// <remarks>What the guest was told of its network, and has set up itself by, stays: addresses, MTU, its own MAC.</remarks>
    public bool CanReconfigure(EndpointContext running, EndpointContext wanted)
    {
        ArgumentNullException.ThrowIfNull(running);
        ArgumentNullException.ThrowIfNull(wanted);
        return Settings(running).Network(running.Mac, running.Mtu) == Settings(wanted).Network(wanted.Mac, wanted.Mtu);
    }

    /// <summary>The options of a context, understood.</summary>
    internal static ConsommeSettings Settings(EndpointContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return ConsommeSettings.Read(Model.Bind(context.Options), []);
    }
}
