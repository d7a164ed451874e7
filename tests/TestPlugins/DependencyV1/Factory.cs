using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.DependencyV1;

/// <summary>Endpoints that tell what their dependency says.</summary>
[EndpointKind("dependency-v1")]
public sealed class Factory : IEndpointFactory
{
    public OptionsModel Options => QuietOptions.Model;

    public IEndpoint Create(EndpointContext context) => new Labelled(Dependency.Answer.First());
}

/// <summary>Cannot be loaded with the other version of the dependency.</summary>
internal sealed class Derived : Dependency.OnlyInFirst;
