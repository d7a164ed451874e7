using NicHost.Contracts.Endpoints;

namespace NicHost.TestPlugins.WrongExport;

/// <summary>Says that it is a factory, and is none.</summary>
[EndpointKind("wrong-export")]
public sealed class Factory
{
    public override string ToString() => "no factory";
}
