using System.Text.Json;

namespace NicHost.Host.Topology;

/// <summary>How two JSON values become one: objects member by member, anything else as a whole.</summary>
internal static class JsonMerge
{
    /// <summary><paramref name="above"/> holds where both have something; members come in the order of <paramref name="below"/>.</summary>
    public static JsonElement Overlay(JsonElement below, JsonElement above) =>
        AreObjects(below, above) ? JsonText.Build(json => Write(json, below, above)) : above;

    /// <summary>Paths, from <c>$</c>, of what both have and have differently.</summary>
    public static IReadOnlyList<string> Differences(JsonElement first, JsonElement second)
    {
        var paths = new List<string>();
        Compare("$", first, second, paths);
        return paths;
    }

    private static void Write(Utf8JsonWriter json, JsonElement below, JsonElement above)
    {
        if (!AreObjects(below, above))
        {
            above.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        foreach (var member in below.EnumerateObject())
        {
            json.WritePropertyName(member.Name);
            if (above.TryGetProperty(member.Name, out var value)) Write(json, member.Value, value);
            else member.Value.WriteTo(json);
        }
        foreach (var member in above.EnumerateObject())
        {
            if (!below.TryGetProperty(member.Name, out _)) member.WriteTo(json);
        }
        json.WriteEndObject();
    }

    private static void Compare(string path, JsonElement first, JsonElement second, List<string> paths)
    {
        if (!AreObjects(first, second))
        {
            if (!JsonElement.DeepEquals(first, second)) paths.Add(path);
            return;
        }
        foreach (var member in second.EnumerateObject())
        {
            if (first.TryGetProperty(member.Name, out var other)) Compare(JsonPath.Member(path, member.Name), other, member.Value, paths);
        }
    }

    private static bool AreObjects(JsonElement a, JsonElement b) => a.ValueKind == JsonValueKind.Object && b.ValueKind == JsonValueKind.Object;
}
