using System.Text.Json.Serialization;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins;

/// <summary>No options.</summary>
internal sealed record QuietOptions
{
    public static OptionsModel Model { get; } = new OptionsModel<QuietOptions>(QuietJson.Default.QuietOptions);

    public static OptionsModel WithCheck(Action<QuietOptions, ICollection<OptionFault>> check) => new OptionsModel<QuietOptions>(QuietJson.Default.QuietOptions, check);
}

/// <summary>Shows a word.</summary>
internal sealed class Labelled(string label) : QuietEndpoint
{
    public override void Inspect(InspectWriter writer) => writer.Value("label", label);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(QuietOptions))]
internal sealed partial class QuietJson : JsonSerializerContext;
