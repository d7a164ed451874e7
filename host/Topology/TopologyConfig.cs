using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Options;

namespace NicHost.Host.Topology;

/// <summary>What the user wrote, level by level: the next level stays JSON, so that each can list all of its own faults.</summary>
internal sealed record TopologyConfig
{
    [JsonPropertyName("$schema")]
    [Description("Where editors find this schema. The host does not read it.")]
    public string? Schema { get; set; }

    [Description("Plugin roots, in order: the first that brings a kind has it. Relative to this file. Left out: the root that ships with the host.")]
    [HostPath]
    public IReadOnlyList<string> Plugins { get; set; } = [];

    [Description("Files that belong to this topology too: files, or folders for all *.json in them. Relative to this file.")]
    [HostPath]
    public IReadOnlyList<string> Include { get; set; } = [];

    [Description("For development: plugins are loaded so that they can be unloaded again. Costs speed on the data path.")]
    public bool Unloadable { get; set; }

    [Description("Load plugins from folders that others than the host's user may write to.")]
    public bool AllowWritablePlugins { get; set; }

    [Description("The control socket, over which \"nichost inspect\" and others ask a running host.")]
    public ControlConfig Control { get; set; } = new();

    [Description("What NICs have that do not say otherwise. Objects merge member by member; a list or a single value is replaced as a whole.")]
    public DefaultsConfig Defaults { get; set; } = new();

    [Description("The VMs by name.")]
    public IReadOnlyDictionary<string, JsonElement> Vms { get; set; } = new Dictionary<string, JsonElement>();
}

internal sealed record DefaultsConfig
{
    [Description("For every NIC.")]
    public NicDefaultsConfig Nic { get; set; } = new();

    [Description("For every device, by its kind.")]
    public IReadOnlyDictionary<string, JsonElement> Device { get; set; } = new Dictionary<string, JsonElement>();

    [Description("For every endpoint, by its kind.")]
    public IReadOnlyDictionary<string, JsonElement> Endpoint { get; set; } = new Dictionary<string, JsonElement>();
}

internal sealed record ControlConfig
{
    [Description("Its path; relative ones are relative to this file. Left out: $XDG_RUNTIME_DIR/nichost.sock, or /tmp/nichost-UID.sock.")]
    [HostPath]
    public string? Socket { get; set; }

    [Description("Rights of the socket file in octal. Whoever may write to it commands this host.")]
    public string Mode { get; set; } = "0600";

    [Description("The user that owns the socket file, by name or number. Left out: the one that the host runs as.")]
    public string? Owner { get; set; }

    [Description("The group of the socket file, by name or number. Left out: that of the host.")]
    public string? Group { get; set; }
}

internal sealed record VmConfig
{
    [Description("The VM's NICs by name.")]
    public required IReadOnlyDictionary<string, JsonElement> Nics { get; init; }
}

/// <summary>The members of a NIC that may have defaults.</summary>
internal record NicDefaultsConfig
{
    [Description("The largest IP packet in bytes.")]
    [Range(FrameLimits.MinMtu, FrameLimits.MaxMtu)]
    public int Mtu { get; set; } = 1500;

    [Description("The link as the administrator sets it. down: the guest sees its cable unplugged; nothing passes.")]
    public AdminLink Link { get; set; } = AdminLink.Up;

    [Description("What happens after a fault of this NIC's plugins: it is made anew after a delay that doubles from fault to fault.")]
    public RestartConfig Restart { get; set; } = new();
}

internal sealed record NicConfig : NicDefaultsConfig
{
    [Description("The guest's address, such as 52:54:00:12:34:56. Left out: a stable one, derived from the VM's and the NIC's name.")]
    public string? Mac { get; set; }

    public required JsonElement Device { get; init; }

    public required JsonElement Endpoint { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<AdminLink>))]
internal enum AdminLink
{
    [JsonStringEnumMemberName("up")]
    Up,

    [JsonStringEnumMemberName("down")]
    Down,
}

internal sealed record RestartConfig
{
    [Description("Seconds before the first restart.")]
    [Range(0.01, 3600)]
    public double FirstDelaySeconds { get; set; } = 1;

    [Description("Seconds that the delay grows to, doubling from restart to restart.")]
    [Range(0.01, 86400)]
    public double LongestDelaySeconds { get; set; } = 30;

    [Description("Restarts within the window after which the NIC stays down until an operator restarts it. 0: no limit.")]
    [Range(0, 1_000_000)]
    public int Limit { get; set; }

    [Description("The window of \"limit\" in seconds.")]
    [Range(1, 604_800)]
    public int WindowSeconds { get; set; } = 600;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(TopologyConfig))]
[JsonSerializable(typeof(VmConfig))]
[JsonSerializable(typeof(NicConfig))]
[JsonSerializable(typeof(IReadOnlyList<TopologyFault>))]
internal sealed partial class TopologyJson : JsonSerializerContext;
