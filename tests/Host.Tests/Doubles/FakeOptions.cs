using System.ComponentModel;
using System.Text.Json.Serialization;
using NicHost.Contracts.Options;

namespace NicHost.Host.Tests.Doubles;

internal sealed record FakeOptions
{
    [Description("The socket.")]
    [HostPath]
    public string? Socket { get; set; }

    [Description("Queues.")]
    public int Queues { get; set; } = 1;

    [Description("Names.")]
    public IReadOnlyList<string> Names { get; set; } = [];

    [Description("Limits.")]
    public FakeLimits Limits { get; set; } = new();

    [Description("What may change while it runs.")]
    public string Label { get; set; } = "";

    [Description("Colour.")]
    public FakeColour? Colour { get; set; }

    /// <summary>Whether nothing differs but what may change while it runs.</summary>
    public bool DiffersInLabelOnly(FakeOptions other) => Socket == other.Socket && Queues == other.Queues && Names.SequenceEqual(other.Names) && Colour == other.Colour;

    public static void Validate(FakeOptions options, ICollection<OptionFault> faults)
    {
        if (options.Queues is < 1 or > 16) faults.Add(new OptionFault("$.queues", $"{options.Queues} queues are out of range.", "Use 1 to 16."));
        for (var i = 0; i < options.Names.Count; i++)
        {
            if (options.Names[i].Length == 0) faults.Add(new OptionFault($"$.names[{i}]", "An empty name.", "Write one."));
        }
    }
}

internal sealed record FakeLimits
{
    public int Flows { get; set; }

    public IReadOnlyList<FakeLimits> Inner { get; set; } = [];
}

[JsonConverter(typeof(JsonStringEnumConverter<FakeColour>))]
internal enum FakeColour
{
    [JsonStringEnumMemberName("red")]
    Red,
    Blue,
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(FakeOptions))]
internal sealed partial class FakeJson : JsonSerializerContext;
