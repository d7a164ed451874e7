using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.NewerContracts;

/// <summary>Uses what only later contracts have.</summary>
[EndpointKind("newer-contracts")]
public sealed class Factory : IEndpointFactory
{
    public OptionsModel Options => QuietOptions.Model;

    public IEndpoint Create(EndpointContext context) => new FutureEndpoint();

    private sealed class FutureEndpoint : QuietEndpoint, Contracts.Future.IFutureEndpoint;
}
