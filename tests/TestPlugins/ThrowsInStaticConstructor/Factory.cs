using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.ThrowsInStaticConstructor;

/// <summary>Cannot even be looked at.</summary>
[EndpointKind("throws-in-static-constructor")]
public sealed class Factory : IEndpointFactory
{
    private static readonly int Zero = int.Parse("zero", System.Globalization.CultureInfo.InvariantCulture);

    public OptionsModel Options => QuietOptions.Model;

    public IEndpoint Create(EndpointContext context) => new Labelled($"{Zero}");
}
