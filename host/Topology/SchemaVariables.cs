using System.Text.Json;
using System.Text.Json.Nodes;

namespace NicHost.Host.Topology;

/// <summary>Makes a schema accept a variable wherever the host fills one in.</summary>
internal static class SchemaVariables
{
    private const string Text = "textVariable";
    private const string Number = "numberVariable";
    private const string Flag = "flagVariable";

    private static readonly string[] Kept = ["description", "default"];

    /// <summary>Adds what <see cref="Accept"/> refers to.</summary>
    public static void Define(JsonObject definitions)
    {
        definitions[Text] = Definition("A text with variables of the environment: ${env:NAME} or ${env:NAME|default}.", "\\$\\{env:[A-Za-z_][A-Za-z0-9_]*(\\|[^}]*)?\\}");
        definitions[Number] = Definition("A number from the environment: ${number:NAME} or ${number:NAME|2}.", "^\\$\\{number:[A-Za-z_][A-Za-z0-9_]*(\\|[^}]*)?\\}$");
        definitions[Flag] = Definition("true or false from the environment: ${flag:NAME} or ${flag:NAME|true}.", "^\\$\\{flag:[A-Za-z_][A-Za-z0-9_]*(\\|[^}]*)?\\}$");
    }

    /// <summary>Changes all members of an object's schema, down to the bottom.</summary>
    public static void Accept(JsonObject schema)
    {
        if (schema["properties"] is JsonObject members)
        {
            foreach (var (_, member) in members.ToArray()) AcceptValue(member as JsonObject);
        }
    }

    private static void AcceptValue(JsonObject? schema)
    {
        if (schema is null) return;
        Accept(schema);
        AcceptValue(schema["items"] as JsonObject);
        AcceptValue(schema["additionalProperties"] as JsonObject);
        if (Variable(schema) is not { } variable) return;
        var plain = new JsonObject();
        foreach (var (name, node) in schema.Where(member => !Kept.Contains(member.Key)).ToArray())
        {
            schema.Remove(name);
            plain[name] = node;
        }
        schema["anyOf"] = new JsonArray(plain, new JsonObject { ["$ref"] = $"#/$defs/{variable}" });
    }

    // Which variable a value's schema would refuse; none where a text is a text.
    private static string? Variable(JsonObject schema)
    {
        if (schema["enum"] is not null || schema["pattern"] is not null) return Text;
        string[] types = schema["type"] switch
        {
            JsonArray several => [.. several.Select(type => type!.GetValue<string>())],
            JsonValue one when one.GetValueKind() == JsonValueKind.String => [one.GetValue<string>()],
            _ => [],
        };
        return types.Contains("integer") || types.Contains("number") ? Number : types.Contains("boolean") ? Flag : null;
    }

    private static JsonObject Definition(string description, string pattern) => new() { ["description"] = description, ["type"] = "string", ["pattern"] = pattern };
}
