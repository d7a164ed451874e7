using System.Text.Json;
using System.Text.Json.Nodes;
using NicHost.Host.Commands;
using NicHost.Host.Plugins;
using NJsonSchema;

namespace NicHost.Host.Tests.Topology;

/// <summary>The schema, as an editor's validator reads it.</summary>
public sealed class SchemaTests
{
    private static readonly Lazy<PluginCatalog> Catalog = new(() => PluginCatalog.Load([PluginRoots.Default]));

    [Fact]
    public void Schema_that_is_committed_is_the_one_of_the_option_types() =>
        Assert.True(File.ReadAllText(Repository.File("host/schema/topology.schema.json")) == SchemaCommand.Render(Catalog.Value),
            "host/schema/topology.schema.json is out of date: ./nichost schema > host/schema/topology.schema.json");

    [Theory]
    [InlineData("plugins")]
    [InlineData("samples/every-option")]
    [InlineData("samples/several-vms")]
    [InlineData("samples/both-devices")]
    public async Task Topology_that_ships_passes_the_schema(string name)
    {
        var text = JsonNode.Parse(File.ReadAllText(Repository.File($"{name}.json")), null, new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true })!;
        Assert.Empty(await ValidateAsync(text.ToJsonString()));
    }

    [Theory]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "virtio", "socket": 3 }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "virtio" }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "carb", "socket": "s" }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "virtio", "socket": "s" }, "endpoint": { "kind": "null", "x": 1 } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "mtu": 67, "device": { "kind": "virtio", "socket": "s" }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "mac": "x", "device": { "kind": "virtio", "socket": "s" }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nic": {} } } }""")]
    public async Task Topology_with_a_fault_fails_the_schema(string text) => Assert.NotEmpty(await ValidateAsync(text));

    private static async Task<ICollection<NJsonSchema.Validation.ValidationError>> ValidateAsync(string text)
    {
        // NJsonSchema knows "definitions", the older name of "$defs".
        var schema = JsonNode.Parse(SchemaCommand.Render(Catalog.Value).Replace("$defs", "definitions", StringComparison.Ordinal))!;
        return (await JsonSchema.FromJsonAsync(schema.ToJsonString())).Validate(text);
    }
}
