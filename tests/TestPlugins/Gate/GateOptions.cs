using System.ComponentModel;
using System.Text.Json.Serialization;

namespace NicHost.TestPlugins.Gate;

/// <summary>Each path is a turnstile: see <see cref="Turnstile"/>. Relative paths are relative to the topology file.</summary>
internal sealed record GateOptions
{
    [Description("Where Create waits. Not when a check makes the endpoint: that one never runs.")]
    public string? Create { get; set; }

    [Description("Where Start waits, on the NIC's first loop.")]
    public string? Start { get; set; }

    [Description("Where Reconfigure waits, on the NIC's first loop, before it takes the new options; the new options count.")]
    public string? Reconfigure { get; set; }

    [Description("Where the disposal of an endpoint that was started waits.")]
    public string? Stop { get; set; }

    [Description("Reconfigure to these options fails.")]
    public bool Refuses { get; set; }

    [Description("Shown by inspect.")]
    public string Label { get; set; } = "";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(GateOptions))]
internal sealed partial class GateJson : JsonSerializerContext;
