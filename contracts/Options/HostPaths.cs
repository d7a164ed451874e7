using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace NicHost.Contracts.Options;

/// <summary>The options that are marked with <see cref="HostPathAttribute"/>.</summary>
internal static class HostPaths
{
    public static bool IsOne(JsonPropertyInfo property) => property.AttributeProvider?.IsDefined(typeof(HostPathAttribute), inherit: false) ?? false;

    /// <summary>Whether a text can be one.</summary>
    public static bool IsPath(string text) => text.Length > 0 && !text.Contains('\0', StringComparison.Ordinal);

    /// <summary>Puts what <paramref name="map"/> makes of each path, given where it stands and what it is, in its place.</summary>
    public static void Map(JsonTypeInfo type, string path, JsonNode? node, Func<string, string, string> map)
    {
        switch (node)
        {
            case JsonObject members when type.Kind == JsonTypeInfoKind.Object:
                foreach (var property in type.Properties.Where(property => members.ContainsKey(property.Name)))
                {
                    var member = OptionsPath.Member(path, property.Name);
                    if (IsOne(property)) members[property.Name] = Mapped(member, members[property.Name], map);
                    else Map(property.Options.GetTypeInfo(property.PropertyType), member, members[property.Name], map);
                }
                break;
            case JsonObject members when type.Kind == JsonTypeInfoKind.Dictionary:
                foreach (var (name, value) in members) Map(OptionsBinding.ElementInfo(type), OptionsPath.Member(path, name), value, map);
                break;
            case JsonArray items when type.Kind == JsonTypeInfoKind.Enumerable:
                for (var i = 0; i < items.Count; i++) Map(OptionsBinding.ElementInfo(type), OptionsPath.Item(path, i), items[i], map);
                break;
        }
    }

    private static JsonNode? Mapped(string path, JsonNode? value, Func<string, string, string> map) => value switch
    {
        JsonValue text when text.GetValueKind() == JsonValueKind.String => map(path, text.GetValue<string>()),
        JsonArray items => new JsonArray([.. items.Select((item, i) => Mapped(OptionsPath.Item(path, i), item, map))]),
        _ => value?.DeepClone(),
    };
}
