using System.Text.Json;
using System.Text.Json.Nodes;

namespace NicHost.Host.Changes;

/// <summary>Where two JSON values differ, member by member; a list of texts or numbers item by item.</summary>
internal static class JsonDifference
{
    public static IEnumerable<MemberChange> Find(string path, JsonElement? before, JsonElement? after)
    {
        if (before is { } b && after is { } a)
        {
            if (JsonElement.DeepEquals(b, a)) return [];
            if (b.ValueKind == JsonValueKind.Object && a.ValueKind == JsonValueKind.Object) return Members(path, b, a);
            if (IsPlainList(b) && IsPlainList(a)) return Items(path, b, a);
        }
        return [new MemberChange(path, Text(before), Text(after))];
    }

    private static IEnumerable<MemberChange> Members(string path, JsonElement before, JsonElement after) =>
        before.EnumerateObject().Select(m => m.Name).Union(after.EnumerateObject().Select(m => m.Name), StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .SelectMany(name => Find($"{path}.{name}", Member(before, name), Member(after, name)));

    private static IEnumerable<MemberChange> Items(string path, JsonElement before, JsonElement after)
    {
        string[] old = [.. before.EnumerateArray().Select(item => item.GetRawText())];
        string[] now = [.. after.EnumerateArray().Select(item => item.GetRawText())];
        MemberChange[] changes = [.. old.Except(now).Select(item => new MemberChange(path, item, null)), .. now.Except(old).Select(item => new MemberChange(path, null, item))];
        // The same items in another order or number.
        return changes.Length > 0 ? changes : [new MemberChange(path, Text(before), Text(after))];
    }

    private static JsonElement? Member(JsonElement of, string name) => of.TryGetProperty(name, out var value) ? value : null;

    private static bool IsPlainList(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array));

    // Through a node: the raw text would carry the file's line breaks.
    private static string? Text(JsonElement? value) => value?.ValueKind switch
    {
        null => null,
        JsonValueKind.Object => JsonObject.Create(value.Value)!.ToJsonString(),
        JsonValueKind.Array => JsonArray.Create(value.Value)!.ToJsonString(),
        _ => value.Value.GetRawText(),
    };
}
