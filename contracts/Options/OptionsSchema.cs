using System.ComponentModel;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace NicHost.Contracts.Options;

/// <summary>JSON schemas from option types.</summary>
public static class OptionsSchema
{
    /// <summary>Exports the schema of <paramref name="type"/>: descriptions and ranges from attributes, defaults from an instance, unknown members refused.</summary>
    public static JsonObject Export(JsonTypeInfo type)
    {
        ArgumentNullException.ThrowIfNull(type);
        var exporter = new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Describe };
        var schema = type.GetJsonSchemaAsNode(exporter).AsObject();
        OptionsDefaults.AddTo(schema, type);
        return schema;
    }

    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode node)
    {
        if (node is not JsonObject schema) return node;
        if (context.TypeInfo.Kind == JsonTypeInfoKind.Object) schema["additionalProperties"] = false;
        var source = context.PropertyInfo?.AttributeProvider ?? context.TypeInfo.Type;
        var text = source.GetCustomAttributes(typeof(DescriptionAttribute), inherit: false).OfType<DescriptionAttribute>().FirstOrDefault();
        if (text is not null) schema.Insert(0, "description", text.Description);
        if (OptionsRange.Of(context.PropertyInfo?.AttributeProvider) is { } range)
        {
            schema["minimum"] = range.Minimum;
            schema["maximum"] = range.Maximum;
        }
        return schema;
    }
}
