using System.Text.Json;
using NicHost.Contracts.Nics;

namespace NicHost.Host.Topology;

/// <summary>A topology that holds: every default filled in, every option checked by its plugin.</summary>
internal sealed record TopologyModel(string File, string BaseDirectory, IReadOnlyList<VmModel> Vms);

internal sealed record VmModel(string Name, IReadOnlyList<NicModel> Nics);

internal sealed record NicModel
{
    public required NicIdentity Identity { get; init; }
    public required MacAddress Mac { get; init; }
    public required bool MacIsDerived { get; init; }
    public required int Mtu { get; init; }
    public required PartModel Device { get; init; }
    public required PartModel Endpoint { get; init; }
    public required string BaseDirectory { get; init; }
}

/// <summary>The <c>device</c> or <c>endpoint</c> object.</summary>
internal sealed record PartModel(string Kind, JsonElement Options);
