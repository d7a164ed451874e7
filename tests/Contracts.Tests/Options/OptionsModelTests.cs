using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using NicHost.Contracts.Options;

namespace NicHost.Contracts.Tests.Options;

public sealed partial class OptionsModelTests
{
    private static readonly OptionsModel<Sample> Model = new(SampleJson.Default.Sample, (options, faults) =>
    {
        if (options.Queues > 8) faults.Add(new OptionFault("$.queues", $"{options.Queues} queues are too many.", "Use 1 to 8."));
    });

    [Fact]
    public void Bind_of_good_options_gives_values_and_defaults()
    {
        var bound = Model.Bind(Parse("""{"kind":"x","socket":"/tmp/a","inner":{"records":["a"]}}"""));
        Assert.Equal(("/tmp/a", 1, "a"), (bound.Socket, bound.Queues, bound.Inner.Records[0]));
    }

    [Fact]
    public void Check_of_several_faults_lists_them_all_with_path_and_remedy()
    {
        var faults = new List<OptionFault>();
        Model.Check(Parse("""{"queus":2,"queues":"many","inner":{"records":[1]},"mode":"slow","mode":"fast"}"""), faults);
        Assert.Equal(["$.queus", "$.queues", "$.inner.records[0]", "$.mode", "$.mode", "$"], faults.Select(f => f.Path));
        Assert.Equal("Did you mean \"queues\"?", faults[0].Remedy);
        Assert.All(faults, f => Assert.NotEmpty(f.Remedy));
    }

    [Fact]
    public void Check_of_well_typed_values_runs_the_plugins_own_rules()
    {
        var faults = new List<OptionFault>();
        Model.Check(Parse("""{"socket":"/s","queues":9}"""), faults);
        Assert.Equal(["9 queues are too many."], faults.Select(f => f.Message));
    }

    [Fact]
    public void What_the_options_type_computes_is_no_member()
    {
        var faults = new List<OptionFault>();
        Model.Check(Parse("""{"socket":"/s","isShared":true,"colour":"x"}"""), faults);
        Assert.Equal(["$.isShared", "$.colour"], faults.Select(f => f.Path));
        Assert.All(faults, f => Assert.DoesNotContain("isShared", f.Remedy, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("65535", true)]
    [InlineData("0", false)]
    [InlineData("65536", false)]
    [InlineData("-1", false)]
    public void Range_of_a_member_is_checked(string port, bool isInRange)
    {
        var faults = new List<OptionFault>();
        Model.Check(Parse($$"""{"socket":"/s","port":{{port}}}"""), faults);
        Assert.Equal(isInRange ? [] : [$"$.port {port} is out of range. Use 1 to 65535."], faults.Select(f => $"{f.Path} {f.Message} {f.Remedy}"));
    }

    [Fact]
    public void Value_out_of_range_hides_nothing_that_the_plugin_finds_itself()
    {
        foreach (var check in new Action<JsonElement, ICollection<OptionFault>>[] { Model.Check, Model.CheckPartial })
        {
            var faults = new List<OptionFault>();
            check(Parse("""{"socket":"/s","port":0,"queues":9}"""), faults);
            Assert.Equal(["$.port", "$.queues"], faults.Select(f => f.Path));
        }
        var thrown = Assert.Throws<OptionsException>(() => Model.Bind(Parse("""{"socket":"/s","port":0,"queues":9}""")));
        Assert.Equal(2, thrown.Faults.Count);
    }

    [Fact]
    public void Range_of_a_member_is_in_the_schema()
    {
        var port = Model.Schema()["properties"]!["port"]!;
        Assert.Equal((1, 65535), ((int)(double)port["minimum"]!, (int)(double)port["maximum"]!));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("3")]
    [InlineData("null")]
    public void Check_of_something_else_than_an_object_is_one_fault(string json)
    {
        var faults = new List<OptionFault>();
        Model.Check(Parse(json), faults);
        Assert.Single(faults);
    }

    [Fact]
    public void Schema_has_descriptions_and_refuses_unknown_members()
    {
        var schema = Model.Schema();
        Assert.Equal("The socket.", (string?)schema["properties"]!["socket"]!["description"]);
        Assert.False((bool)schema["additionalProperties"]!);
    }

    [Fact]
    public void Model_of_a_record_whose_defaults_would_be_lost_is_refused() =>
        Assert.Throws<ArgumentException>(() => new OptionsModel<Losing>(SampleJson.Default.Losing));

    [Fact]
    public void Fault_of_a_range_does_not_hide_the_plugins_own_rules()
    {
        var faults = new List<OptionFault>();
        Model.Check(Parse("""{"socket":"","port":0,"queues":9}"""), faults);
        Assert.Equal(["$.socket", "$.port", "$.queues"], faults.Select(f => f.Path));
    }

    [Fact]
    public void Check_of_a_part_misses_nothing_that_may_come_from_elsewhere()
    {
        var faults = new List<OptionFault>();
        Model.CheckPartial(Parse("""{"queues":2,"inner":{"records":[]}}"""), faults);
        Assert.Empty(faults);
        Model.CheckPartial(Parse("""{"queues":"x","inner":{"record":[]},"port":0,"rules":[{"to":1}]}"""), faults);
        Assert.Equal(["$.queues", "$.inner.record", "$.port", "$.rules[0].to", "$.rules[0]"], faults.Select(f => f.Path));
    }

    [Fact]
    public void Check_of_a_part_that_is_whole_runs_the_plugins_own_rules()
    {
        var faults = new List<OptionFault>();
        Model.CheckPartial(Parse("""{"socket":"/s","queues":9}"""), faults);
        Assert.Equal(["9 queues are too many."], faults.Select(f => f.Message));
    }

    [Fact]
    public void Resolve_gives_every_member_a_value_and_leaves_the_kind_out() =>
        Assert.Equal("""{"socket":"/s","queues":1,"port":null,"mode":"Fast","inner":{"records":[],"keys":["k"]},"rules":[{"from":"a","to":null}]}""",
            Model.Resolve(Parse("""{"kind":"x","socket":"/s","inner":{"keys":["k"]},"rules":[{"from":"a"}]}""")).ToJsonString());

    [Fact]
    public void Resolve_of_options_with_a_fault_throws() => Assert.Throws<OptionsException>(() => Model.Resolve(Parse("{}")));

    [Fact]
    public void Paths_are_mapped_wherever_they_stand()
    {
        var seen = new List<string>();
        var mapped = Model.MapPaths(Parse("""{"kind":"x","socket":"a","inner":{"records":["b"],"keys":["c","d"]},"rules":[{"from":"e","to":"f"}]}"""), (path, text) =>
        {
            seen.Add(path);
            return $"/{text}";
        });
        Assert.Equal(["$.socket", "$.inner.keys[0]", "$.inner.keys[1]", "$.rules[0].to"], seen);
        Assert.Equal("""{"kind":"x","socket":"/a","inner":{"records":["b"],"keys":["/c","/d"]},"rules":[{"from":"e","to":"/f"}]}""", mapped.ToJsonString());
    }

    [Fact]
    public void Schema_tells_the_defaults_of_an_instance()
    {
        var members = Model.Schema()["properties"]!;
        Assert.Equal(1, (int)members["queues"]!["default"]!);
        Assert.Equal("Fast", (string?)members["mode"]!["default"]);
        Assert.Equal("""{"records":[],"keys":["x"]}""", members["inner"]!["default"]!.ToJsonString());
        Assert.Equal("[]", members["inner"]!["properties"]!["keys"]!["default"]!.ToJsonString());
        Assert.Null(members["rules"]!["items"]!["properties"]!["from"]!["default"]);
        Assert.Null(members["socket"]!["default"]);
        Assert.Null(members["port"]!["default"]);
    }

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;

    internal sealed record Sample
    {
        [Description("The socket.")]
        [HostPath]
        public required string Socket { get; init; }

        public int Queues { get; set; } = 1;

        [Range(1, 65535)]
        public int? Port { get; set; }

        public Speed Mode { get; set; }

        // Not what the type itself would say.
        public Inner Inner { get; set; } = new() { Keys = ["x"] };

        public IReadOnlyList<Rule> Rules { get; set; } = [];

        [JsonIgnore]
        public bool IsShared => Queues > 1;
    }

    internal sealed record Losing
    {
        public int Queues { get; init; } = 1;
    }

    internal sealed record Inner
    {
        public IReadOnlyList<string> Records { get; set; } = [];

        [HostPath]
        public IReadOnlyList<string> Keys { get; set; } = [];
    }

    internal sealed record Rule
    {
        public required string From { get; init; }

        [HostPath]
        public string? To { get; set; }
    }

    [JsonConverter(typeof(JsonStringEnumConverter<Speed>))]
    internal enum Speed { Fast }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
    [JsonSerializable(typeof(Sample))]
    [JsonSerializable(typeof(Losing))]
    internal sealed partial class SampleJson : JsonSerializerContext;
}
