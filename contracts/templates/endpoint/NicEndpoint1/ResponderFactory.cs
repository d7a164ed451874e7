using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicEndpoint1;

/// <summary>What the host finds: makes endpoints of one kind. Stateless; all that lives is in the endpoint.</summary>
[EndpointKind("nic-endpoint-kind")]
public sealed class ResponderFactory : IEndpointFactory
{
    /// <inheritdoc/>
    public OptionsModel Options => ResponderOptions.Model;

    /// <inheritdoc/>
    public IEndpoint Create(EndpointContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new ResponderEndpoint(context, ResponderOptions.Model.Bind(context.Options));
    }
}
