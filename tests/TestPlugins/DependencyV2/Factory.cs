using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.DependencyV2;

/// <summary>Endpoints that tell what their dependency says.</summary>
[EndpointKind("dependency-v2")]
public sealed class Factory : IEndpointFactory
{
    public OptionsModel Options => QuietOptions.Model;

    public IEndpoint Create(EndpointContext context) => new Labelled(Dependency.Answer.Second());
}
