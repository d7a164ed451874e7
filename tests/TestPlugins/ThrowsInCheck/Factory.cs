using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.ThrowsInCheck;

/// <summary>Its options are checked by code that fails.</summary>
[EndpointKind("throws-in-check")]
public sealed class Factory : IEndpointFactory
{
    public OptionsModel Options { get; } = QuietOptions.WithCheck((_, _) => throw new InvalidOperationException("This check fails."));

    public IEndpoint Create(EndpointContext context) => new Labelled("");
}
