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
        var root = OptionsSchema.Export(TopologyJson.Default.TopologyConfig);
        SetMap(root, "vms", "vm");
        var vm = OptionsSchema.Export(TopologyJson.Default.VmConfig);
        SetMap(vm, "nics", "nic");
        var nic = OptionsSchema.Export(TopologyJson.Default.NicConfig);
        SetReference(nic, "device", "What the guest sees.");
        SetReference(nic, "endpoint", "Where the packets go.");
        nic["properties"]!["mac"]!.AsObject()["pattern"] = "^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$";

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
        schema["$defs"] = new JsonObject
        {
            ["vm"] = vm,
            ["nic"] = nic,
            ["device"] = Kinds(catalog.Devices.Values.Select(d => (d.Kind, d.Factory.Options))),
            ["endpoint"] = Kinds(catalog.Endpoints.Values.Select(e => (e.Kind, e.Factory.Options))),
        };
        return schema;
    }

    private static void SetMap(JsonObject schema, string member, string definition)
    {
        var map = schema["properties"]![member]!.AsObject();
        map["additionalProperties"] = new JsonObject { ["$ref"] = $"#/$defs/{definition}" };
        map["propertyNames"] = new JsonObject { ["pattern"] = NamePattern };
    }

    // Their type says "anything" to the exporter, which leaves no place for a description.
    private static void SetReference(JsonObject schema, string member, string description) =>
        schema["properties"]![member] = new JsonObject { ["description"] = description, ["$ref"] = $"#/$defs/{member}" };

    private static JsonObject Kinds(IEnumerable<(string Kind, OptionsModel Options)> kinds)
    {
        var all = kinds.ToArray();
        var variants = all.Select(k => Variant(k.Kind, k.Options.Schema())).ToArray<JsonNode?>();
        return new JsonObject
        {
            ["type"] = "object",
            ["required"] = new JsonArray("kind"),
            ["properties"] = new JsonObject { ["kind"] = new JsonObject { ["enum"] = new JsonArray([.. all.Select(k => JsonValue.Create(k.Kind))]) } },
            ["oneOf"] = new JsonArray(variants),
        };
    }

    private static JsonObject Variant(string kind, JsonObject options)
    {
        var properties = new JsonObject { ["kind"] = new JsonObject { ["enum"] = new JsonArray(kind) } };
        if (options["properties"] is JsonObject own)
        {
            foreach (var (name, node) in own.ToArray())
            {
                own.Remove(name);
                properties[name] = node;
            }
        }
        options["properties"] = properties;
        // References inside a plugin's schema start at its own root.
        Rebase(options, kind);
        return options;
    }

    private static void Rebase(JsonNode? node, string kind)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array) Rebase(item, kind);
        }
        if (node is not JsonObject schema) return;
        if (schema["$ref"] is JsonValue reference && reference.GetValue<string>() is var target && target.StartsWith('#'))
            throw new NotSupportedException($"The options of \"{kind}\" refer to themselves ({target}): give each place a type of its own.");
        foreach (var (_, child) in schema) Rebase(child, kind);
    }
}
