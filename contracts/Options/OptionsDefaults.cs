using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace NicHost.Contracts.Options;

/// <summary>Puts the values that members have when they are left out into a schema: they are those of an instance that was given nothing else.</summary>
internal static class OptionsDefaults
{
    private const int MaxDepth = 32;

    public static void AddTo(JsonObject schema, JsonTypeInfo type)
    {
        if (schema["properties"] is not JsonObject members || Sample(type) is not { } instance) return;
        foreach (var property in type.Properties)
        {
            if (members[property.Name] is not JsonObject member) continue;
            var info = property.Options.GetTypeInfo(property.PropertyType);
            // An object that is there has its own members' defaults, whatever would be there without it.
            if (info.Kind == JsonTypeInfoKind.Object) AddTo(member, info);
            else if (member["items"] is JsonObject item && OptionsBinding.ElementInfo(info) is { Kind: JsonTypeInfoKind.Object } element) AddTo(item, element);
            if (property.IsRequired || property.Get?.Invoke(instance) is not { } value) continue;
            var text = JsonSerializer.SerializeToNode(value, info);
            if (info.Kind != JsonTypeInfoKind.Object || !JsonNode.DeepEquals(text, Sample(info) is { } plain ? JsonSerializer.SerializeToNode(plain, info) : null))
                member["default"] = text;
        }
    }

    /// <summary>An instance with something in each required member; null when a converter takes nothing that is tried.</summary>
    private static object? Sample(JsonTypeInfo type)
    {
        try { return SampleOf(type, 0).Deserialize(type); }
#pragma warning disable CA1031 // whatever a plugin's converter throws at a sample: there are no defaults to tell then
        catch (Exception) { return null; }
#pragma warning restore CA1031
    }

    private static JsonNode? SampleOf(JsonTypeInfo info, int depth)
    {
        if (depth > MaxDepth) return null;
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Object:
                return new JsonObject(info.Properties.Where(p => p.IsRequired)
                    .Select(p => KeyValuePair.Create(p.Name, SampleOf(p.Options.GetTypeInfo(p.PropertyType), depth + 1))));
            case JsonTypeInfoKind.Enumerable:
                return new JsonArray();
            case JsonTypeInfoKind.Dictionary:
                return new JsonObject();
        }
        var type = Nullable.GetUnderlyingType(info.Type) ?? info.Type;
        if (type == typeof(string)) return "";
        if (type == typeof(bool)) return false;
        if (type.IsEnum) return JsonSerializer.SerializeToNode(Enum.GetValuesAsUnderlyingType(type) is { Length: > 0 } all ? Enum.ToObject(type, all.GetValue(0)!) : null, info);
        return type == typeof(JsonElement) ? new JsonObject() : 0;
    }
}
