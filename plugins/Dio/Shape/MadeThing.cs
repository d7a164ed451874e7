using System.Text.Json.Serialization;

namespace NicHost.Dio.Shape;

/// <summary>Something that a run made in the kernel or in a switch, and that outlives a process which is killed.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name.</param>
/// <param name="Of">The switch that it belongs to; null for a switch.</param>
/// <param name="Mark">What tells it from a namesake that somebody else made.</param>
internal sealed record MadeThing(MadeKind Kind, string Name, string? Of, string Mark)
{
    public override string ToString() => Kind switch
    {
        MadeKind.Bridge => $"bridge {Name}",
        MadeKind.Tap => $"TAP {Name}",
        MadeKind.VmSwitchNic => $"NIC {Name} in {Of}",
        _ => $"port {Name} of {Of}",
    };
}

[JsonConverter(typeof(JsonStringEnumConverter<MadeKind>))]
internal enum MadeKind
{
    Bridge,
    Tap,
    Port,
    OpenVSwitchPort,
    VmSwitchPort,
    VmSwitchNic,
}

/// <summary>The first line of a record: whose it is and where.</summary>
/// <param name="Nic">The NIC.</param>
/// <param name="Namespace">The network namespace: another one's things are not ours to touch.</param>
internal sealed record MadeBy(string Nic, string Namespace);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MadeThing))]
[JsonSerializable(typeof(MadeBy))]
internal sealed partial class MadeJson : JsonSerializerContext;
