using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace Samples.Switch;

/// <summary>Makes the endpoint of kind <c>switch</c>: a port of a switch that NICs of this host's VMs share.</summary>
[EndpointKind("switch")]
public sealed class SwitchFactory : IEndpointFactory
{
    /// <inheritdoc/>
    public OptionsModel Options => SwitchOptions.Model;

    /// <summary>One address has one place on a network: two NICs that want the same are found before either starts.</summary>
    public IReadOnlyList<ResourceClaim> Claims(EndpointContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var options = SwitchOptions.Model.Bind(context.Options);
        return [new ResourceClaim($"address {context.Mac} on switch {options.Name}, VLAN {options.Vlan?.ToString(null, null) ?? "none"}", "$.name")];
    }

    /// <inheritdoc/>
    public IEndpoint Create(EndpointContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new SwitchEndpoint(context, SwitchOptions.Model.Bind(context.Options));
    }

    /// <summary>Whom a port may talk to and how many addresses it may use can change in place; for another network the NIC gets a new port.</summary>
    public bool CanReconfigure(EndpointContext running, EndpointContext wanted)
    {
        ArgumentNullException.ThrowIfNull(running);
        ArgumentNullException.ThrowIfNull(wanted);
        var (before, after) = (SwitchOptions.Model.Bind(running.Options), SwitchOptions.Model.Bind(wanted.Options));
        return running.Mac == wanted.Mac && before with { Isolated = after.Isolated, MaxAddresses = after.MaxAddresses } == after;
    }
}
