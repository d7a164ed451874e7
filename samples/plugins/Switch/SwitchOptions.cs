using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using NicHost.Contracts.Options;

namespace Samples.Switch;

/// <summary>The <c>endpoint</c> object of kind <c>switch</c>.</summary>
[Description("A port of a switch between the NICs of this host's VMs.")]
internal sealed record SwitchOptions
{
    [Description("Which switch. NICs that name the same one are on it together.")]
    public required string Name { get; init; }

    [Description("The VLAN, 1 to 4094, that the port gives access to: it reaches ports of the same one alone, its guest knows nothing of it and may send no tags. Left out: the network of the ports without one, where tags pass as they are.")]
    [Range(1, 4094)]
    public int? Vlan { get; set; }

    [Description("An isolated port reaches only ports that are not isolated: clients that share a server but do not see each other.")]
    public bool Isolated { get; set; }

    [Description("Addresses that the guest may send from, its NIC's own included. Frames from further ones are dropped. 1: its own alone.")]
    [Range(1, 4096)]
    public int MaxAddresses { get; set; } = 64;

    [Description("Frames that may wait for the guest, for each event loop that sends to it. Further ones are dropped.")]
    [Range(16, 16384)]
    public int MaxQueuedFrames { get; set; } = 1024;

    /// <summary>Binding, schema and check in one.</summary>
    public static OptionsModel<SwitchOptions> Model { get; } = new(SwitchJson.Default.SwitchOptions, Check);

    private static void Check(SwitchOptions options, ICollection<OptionFault> faults)
    {
        if (options.Name.Length is 0 or > 64) faults.Add(new OptionFault("$.name", "This is no name of a switch.", "Write a name of 1 to 64 characters, such as \"lan\"."));
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(SwitchOptions))]
internal sealed partial class SwitchJson : JsonSerializerContext;
