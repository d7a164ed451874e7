using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NicHost.Contracts.Options;

namespace NicHost.Host.Topology;

/// <summary>The schema's parts that come from plugins: one definition for each kind, for NICs and for defaults.</summary>
internal sealed class SchemaKinds
{
    private readonly string _part;
    private readonly string[] _names;

    /// <param name="part"><c>device</c> or <c>endpoint</c>.</param>
    /// <param name="kinds">Its kinds.</param>
    /// <param name="definitions">Receives the definitions.</param>
    public SchemaKinds(string part, IEnumerable<(string Kind, Func<OptionsModel> Options)> kinds, JsonObject definitions)
    {
        _part = part;
        var all = kinds.ToArray();
        _names = [.. all.Select(k => k.Kind)];
        definitions[part] = new JsonObject
        {
            ["type"] = "object",
            ["required"] = new JsonArray("kind"),
            ["properties"] = new JsonObject { ["kind"] = Kind(_names, "@|\\$\\{") },
            // What a variable stands for, nobody knows here.
            ["oneOf"] = new JsonArray([.. _names.Select(Reference), Matching("\\$\\{")]),
        };
        foreach (var (kind, options) in all) definitions[$"{part}-{kind}"] = Define(kind, options);
    }

    /// <summary>Makes a map of defaults one by kind.</summary>
    public void SetDefaults(JsonObject map)
    {
        map["properties"] = new JsonObject(_names.Select(kind => KeyValuePair.Create<string, JsonNode?>(kind, new JsonObject
        {
            ["allOf"] = new JsonArray(Reference(kind), new JsonObject { ["not"] = new JsonObject { ["required"] = new JsonArray("kind") } }),
        })));
        map["additionalProperties"] = false;
    }

    private string Root(string kind) => $"#/$defs/{_part}-{kind}";

    private JsonObject Reference(string kind) => new() { ["$ref"] = Root(kind) };

    private JsonObject Define(string kind, Func<OptionsModel> options)
    {
        if (Options(options) is not { } schema) return Matching($"^{Regex.Escape(kind)}(@.+)?$");
        MoveReferences(schema, Root(kind));
        Loosen(schema);
        SchemaVariables.Accept(schema);
        var members = new JsonObject { ["kind"] = Kind([kind], $"^{Regex.Escape(kind)}@.+$") };
        if (schema["properties"] is JsonObject own)
        {
            foreach (var (name, node) in own.ToArray())
            {
                own.Remove(name);
                members[name] = node;
            }
        }
        schema["properties"] = members;
        return schema;
    }

    // The names first: those are what an editor offers.
    private static JsonObject Kind(IReadOnlyList<string> names, string pattern) => new()
    {
        ["description"] = "Which plugin makes it. With a version, as in virtio@1.2.0, that version and no other.",
        ["anyOf"] = new JsonArray(
            new JsonObject { ["enum"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]) },
            new JsonObject { ["type"] = "string", ["pattern"] = pattern }),
    };

    private static JsonObject Matching(string pattern) => new()
    {
        ["properties"] = new JsonObject { ["kind"] = new JsonObject { ["type"] = "string", ["pattern"] = pattern } },
    };

    // Without those of a plugin that failed: "nichost plugins" tells about it.
    private static JsonObject? Options(Func<OptionsModel> options)
    {
        try { return options().Schema(); }
#pragma warning disable CA1031 // whatever a plugin throws
        catch (Exception) { return null; }
#pragma warning restore CA1031
    }

    // A NIC's defaults may have what it leaves out, in another file perhaps. In a list nothing merges.
    private static void Loosen(JsonObject schema)
    {
        var members = schema["properties"] as JsonObject;
        if (schema["required"] is JsonArray required)
        {
            foreach (var name in required.Select(name => name!.GetValue<string>()))
            {
                if (members?[name] is JsonObject member) member["description"] = $"Required, here or in the defaults. {member["description"]}".TrimEnd();
            }
            schema.Remove("required");
        }
        foreach (var (_, member) in members ?? [])
        {
            if (member is JsonObject inner) Loosen(inner);
        }
    }

    // Options that have themselves within refer to their own root, which is not the schema's.
    private static void MoveReferences(JsonNode? node, string root)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array) MoveReferences(item, root);
        }
        if (node is not JsonObject schema) return;
        if (schema["$ref"] is JsonValue reference && reference.GetValue<string>() is ['#', .. var inner]) schema["$ref"] = root + inner;
        foreach (var (_, child) in schema) MoveReferences(child, root);
    }
}
