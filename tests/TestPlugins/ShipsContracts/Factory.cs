using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.ShipsContracts;

/// <summary>Fine but for what lies beside it.</summary>
[EndpointKind("ships-contracts")]
public sealed class Factory : IEndpointFactory
{
    public OptionsModel Options => QuietOptions.Model;

    public IEndpoint Create(EndpointContext context) => new Labelled("");
}
