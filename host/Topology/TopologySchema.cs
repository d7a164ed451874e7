using System.Text.Json.Nodes;
using NicHost.Contracts.Options;
using NicHost.Host.Plugins;

namespace NicHost.Host.Topology;

/// <summary>The JSON schema of topology files, from the option types of the host and of the loaded plugins.</summary>
internal static class TopologySchema
{
    private const string NamePattern = "^[a-z0-9][a-z0-9._-]{0,63}$";

    public static JsonObject Build(PluginCatalog catalog)
    {
        var definitions = new JsonObject();
        var root = OptionsSchema.Export(TopologyJson.Default.TopologyConfig);
        SchemaVariables.Accept(root);
        SetMap(root, "vms", "vm");
        var vm = OptionsSchema.Export(TopologyJson.Default.VmConfig);
        SetMap(vm, "nics", "nic");
        var nic = OptionsSchema.Export(TopologyJson.Default.NicConfig);
        Members(nic)["mac"]!.AsObject()["pattern"] = "^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$";
        SetReference(nic, "device", "What the guest sees.");
        SetReference(nic, "endpoint", "Where the packets go.");
        SchemaVariables.Accept(nic);
        definitions["vm"] = vm;
        definitions["nic"] = nic;
        var defaults = Members(Members(root)["defaults"]!.AsObject());
        new SchemaKinds("device", catalog.DeviceKinds.Select(kind => (kind, (Func<OptionsModel>)(() => catalog.Device("", kind)!.Factory.Options))), definitions).SetDefaults(defaults["device"]!.AsObject());
        new SchemaKinds("endpoint", catalog.EndpointKinds.Select(kind => (kind, (Func<OptionsModel>)(() => catalog.Endpoint("", kind)!.Factory.Options))), definitions).SetDefaults(defaults["endpoint"]!.AsObject());
        SchemaVariables.Define(definitions);

        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "NicHost topology",
        };
        foreach (var (name, node) in root.ToArray())
        {
            root.Remove(name);
            schema[name] = node;
        }
        schema["$defs"] = definitions;
        return schema;
    }

    private static JsonObject Members(JsonObject schema) => schema["properties"]!.AsObject();

    private static void SetMap(JsonObject schema, string member, string definition)
    {
        var map = Members(schema)[member]!.AsObject();
        map["additionalProperties"] = new JsonObject { ["$ref"] = $"#/$defs/{definition}" };
        map["propertyNames"] = new JsonObject { ["pattern"] = NamePattern };
    }

    // Their type says "anything" to the exporter, which leaves no place for a description.
    private static void SetReference(JsonObject schema, string member, string description) =>
        Members(schema)[member] = new JsonObject { ["description"] = description, ["$ref"] = $"#/$defs/{member}" };
}
