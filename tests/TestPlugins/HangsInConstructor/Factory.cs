using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.HangsInConstructor;

/// <summary>Takes a minute to be made.</summary>
[EndpointKind("hangs-in-constructor")]
public sealed class Factory : IEndpointFactory
{
    public Factory()
    {
        using var never = new ManualResetEventSlim();
        never.Wait(TimeSpan.FromMinutes(1));
    }

    public OptionsModel Options => QuietOptions.Model;

    public IEndpoint Create(EndpointContext context) => new Labelled("");
}
