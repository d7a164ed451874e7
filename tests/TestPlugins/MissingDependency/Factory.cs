using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.MissingDependency;

/// <summary>Would fail at the first endpoint, not at the start.</summary>
[EndpointKind("missing-dependency")]
public sealed class Factory : IEndpointFactory
{
    public OptionsModel Options => QuietOptions.Model;

    public IEndpoint Create(EndpointContext context) => new Labelled(Dependency.Answer.First());
}
