using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.ThrowsInOptions;

/// <summary>Cannot say what its options are.</summary>
[EndpointKind("throws-in-options")]
public sealed class Factory : IEndpointFactory
{
    public OptionsModel Options => throw new InvalidOperationException("These options cannot be had.");

    public IEndpoint Create(EndpointContext context) => new Labelled("");
}
