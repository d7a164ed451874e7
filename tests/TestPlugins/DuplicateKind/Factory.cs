using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.DuplicateKind;

/// <summary>Brings a kind that the host has.</summary>
[EndpointKind("null")]
public sealed class Factory : IEndpointFactory
{
    public OptionsModel Options => QuietOptions.Model;

    public IEndpoint Create(EndpointContext context) => new Labelled("another null");
}

/// <summary>And one that nobody has.</summary>
[EndpointKind("own-kind")]
public sealed class OwnFactory : IEndpointFactory
{
    public OptionsModel Options => QuietOptions.Model;

    public IEndpoint Create(EndpointContext context) => new Labelled("");
}
