using System.Text.Json;
using System.Text.Json.Nodes;
using NicHost.Host.Commands;
using NicHost.Host.Plugins;
using NicHost.Host.Tests.Doubles;
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
    [MemberData(nameof(ShippedFiles))]
    public async Task Topology_that_ships_passes_the_schema(string name)
    {
        var text = JsonNode.Parse(File.ReadAllText(Repository.File(name)), null, new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true })!;
        Assert.Empty(await ValidateAsync(text.ToJsonString()));
        Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(Repository.File(name))!, (string)text["$schema"]!)), "\"$schema\" does not lead to the schema.");
    }

    public static TheoryData<string> ShippedFiles =>
        [.. Repository.Topologies().SelectMany(Repository.Files).Select(file => Path.GetRelativePath(Repository.File("."), file))];

    [Theory]
    [InlineData("""{ "defaults": { "nic": { "mtu": 9000 }, "device": { "virtio": { "queues": 2 } }, "endpoint": { "consomme": { "dns": { "search": ["a"] } } } } }""")]
    [InlineData("""{ "include": ["vms/", "a.json"], "unloadable": "${flag:DEV|false}", "control": { "socket": "${env:X}/a", "mode": "0660", "group": "kvm" } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "mtu": "${number:MTU|1500}", "mac": "${env:MAC}", "link": "${env:LINK|up}", "device": { "kind": "virtio@0.1.0", "socket": "s" }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "virtio", "queues": "${number:Q}", "mode": "${env:M}", "inBandNotifications": "${flag:F}" }, "endpoint": { "kind": "${env:KIND}", "x": 1 } } } } } }""")]
    public async Task Topology_without_a_fault_passes_the_schema(string text) => Assert.Empty(await ValidateAsync(text));

    [Theory]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "virtio", "socket": 3 }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "virtio", "queues": 0 }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "virtio", "queues": "${env:Q}" }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "carb", "socket": "s" }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "virtio", "socket": "s" }, "endpoint": { "kind": "null", "x": 1 } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "virtio", "socket": "s" }, "endpoint": { "kind": "consomme", "dns": { "records": [{ "name": "a" }] } } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "mtu": 67, "device": { "kind": "virtio", "socket": "s" }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "mac": "x", "device": { "kind": "virtio", "socket": "s" }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nics": { "b": { "link": "on", "device": { "kind": "virtio", "socket": "s" }, "endpoint": { "kind": "null" } } } } } }""")]
    [InlineData("""{ "vms": { "a": { "nic": {} } } }""")]
    [InlineData("""{ "defaults": { "device": { "virtoi": {} } } }""")]
    [InlineData("""{ "defaults": { "device": { "virtio": { "kind": "virtio" } } } }""")]
    [InlineData("""{ "defaults": { "nic": { "mac": "52:54:00:00:00:01" } } }""")]
    [InlineData("""{ "unloadable": "yes" }""")]
    public async Task Topology_with_a_fault_fails_the_schema(string text) => Assert.NotEmpty(await ValidateAsync(text));

    [Fact]
    public void Schema_tells_descriptions_defaults_and_ranges_of_plugin_options()
    {
        var consomme = JsonNode.Parse(SchemaCommand.Render(Catalog.Value))!["$defs"]!["endpoint-consomme"]!["properties"]!;
        Assert.Equal("10.0.2.0/24", (string?)consomme["subnet"]!["default"]);
        var flows = consomme["limits"]!["properties"]!["tcpFlows"]!;
        Assert.Equal((16384, 1, 1 << 20), ((int)flows["default"]!, (int)flows["anyOf"]![0]!["minimum"]!, (int)flows["anyOf"]![0]!["maximum"]!));
        Assert.All(consomme.AsObject(), option => Assert.NotEmpty((string)option.Value!["description"]!));
    }

    [Theory]
    [InlineData("""{ "flows": 1, "inner": [{ "inner": [{ "flows": 2 }] }] }""", true)]
    [InlineData("""{ "flows": 1, "inner": [{ "inner": [{ "flows": "2" }] }] }""", false)]
    [InlineData("""{ "inner": [{ "outer": [] }] }""", false)]
    public async Task Options_that_have_themselves_within_are_checked_to_the_bottom(string limits, bool isFine)
    {
        var catalog = PluginCatalog.Of([("card", new FakeDeviceFactory([]))], []);
        var topology = $$"""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "card", "limits": {{limits}} }, "endpoint": { "kind": "null" } } } } } }""";
        Assert.Equal(isFine, (await ValidateAsync(topology, catalog)).Count == 0);
    }

    [Fact]
    public async Task Schema_with_a_plugin_that_fails_has_the_others_and_takes_anything_of_that_one()
    {
        var catalog = PluginCatalog.Of([("card", new FakeDeviceFactory([]))], [("broken", new BrokenEndpoint(Catalog.Value.Plugins[0]))]);
        Assert.Empty(await ValidateAsync("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "card" }, "endpoint": { "kind": "broken", "x": 1 } } } } } }""", catalog));
        Assert.NotEmpty(await ValidateAsync("""{ "vms": { "a": { "nics": { "b": { "device": { "kind": "card", "x": 1 }, "endpoint": { "kind": "broken" } } } } } }""", catalog));
    }

    private static async Task<ICollection<NJsonSchema.Validation.ValidationError>> ValidateAsync(string text, PluginCatalog? catalog = null)
    {
        // NJsonSchema knows "definitions", the older name of "$defs".
        var schema = JsonNode.Parse(SchemaCommand.Render(catalog ?? Catalog.Value).Replace("$defs", "definitions", StringComparison.Ordinal))!;
        return (await JsonSchema.FromJsonAsync(schema.ToJsonString())).Validate(text);
    }
}
