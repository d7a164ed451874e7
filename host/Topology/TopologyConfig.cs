using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NicHost.Host.Topology;

/// <summary>What the user wrote, level by level: the next level stays JSON, so that each can list all of its own faults.</summary>
internal sealed record TopologyConfig
{
    [JsonPropertyName("$schema")]
    [Description("Where editors find this schema. The host does not read it.")]
    public string? Schema { get; set; }

    [Description("Plugin roots, in order: the first that brings a kind has it. Relative to this file. Left out: the root that ships with the host.")]
    public IReadOnlyList<string> Plugins { get; set; } = [];

    [Description("The VMs by name.")]
    public required IReadOnlyDictionary<string, JsonElement> Vms { get; init; }
}

internal sealed record VmConfig
{
    [Description("The VM's NICs by name.")]
    public required IReadOnlyDictionary<string, JsonElement> Nics { get; init; }
}

internal sealed record NicConfig
{
    [Description("The guest's address, such as 52:54:00:12:34:56. Left out: a stable one, derived from the VM's and the NIC's name.")]
    public string? Mac { get; set; }

    [Description("The largest IP packet in bytes, 68 to 65520.")]
    public int Mtu { get; set; } = 1500;

    public required JsonElement Device { get; init; }

    public required JsonElement Endpoint { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(TopologyConfig))]
[JsonSerializable(typeof(VmConfig))]
[JsonSerializable(typeof(NicConfig))]
internal sealed partial class TopologyJson : JsonSerializerContext;
