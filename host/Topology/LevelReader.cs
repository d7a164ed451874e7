using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NicHost.Contracts.Options;

namespace NicHost.Host.Topology;

/// <summary>Reads one level of a topology with the same checks as plugin options: unknown, missing, doubled and mistyped members.</summary>
internal static class LevelReader
{
    /// <summary>Reports all faults of the object at <paramref name="path"/>.</summary>
    /// <returns>Its members that can be used; none when it is no object.</returns>
    public static IReadOnlyDictionary<string, JsonElement> Read<T>(TopologyFile file, string path, JsonElement element, JsonTypeInfo<T> type) where T : class
    {
        var faults = new List<OptionFault>();
        OptionsBinding.CheckMembers(type, element, faults);
        foreach (var fault in faults) file.Add(JsonPath.Join(path, fault.Path), fault.Message, fault.Remedy);
        if (element.ValueKind != JsonValueKind.Object) return new Dictionary<string, JsonElement>();
        // "kind" belongs to device and endpoint; the check of members passes over it everywhere.
        if (element.TryGetProperty("kind", out _))
            file.Add(JsonPath.Member(path, "kind"), "\"kind\" is not a member here.", "It belongs into \"device\" and \"endpoint\".");
        return element.EnumerateObject()
            .Where(m => type.Properties.Any(p => p.Name == m.Name) && !faults.Any(f => IsWithin(f.Path, $"$.{m.Name}")))
            .GroupBy(m => m.Name, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First().Value, StringComparer.Ordinal);
    }

    /// <summary>The named things of a map: reports doubled names and names that are none.</summary>
    public static IEnumerable<(string Name, string Path, JsonElement Value)> Named(TopologyFile file, string path, JsonElement map, string what)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in map.EnumerateObject())
        {
            var memberPath = JsonPath.Member(path, member.Name);
            if (!seen.Add(member.Name))
            {
                file.AddDoubled(memberPath, $"There are two {what}s called \"{member.Name}\".", "Give each a name of its own.");
                continue;
            }
            if (!IsName(member.Name))
                file.Add(memberPath, $"\"{member.Name}\" is no name for a {what}.", "Use 1 to 64 of a-z 0-9 - _ . and start with a letter or digit.");
            yield return (member.Name, memberPath, member.Value);
        }
    }

    private static bool IsWithin(string path, string member) =>
        path.StartsWith(member, StringComparison.Ordinal) && (path.Length == member.Length || path[member.Length] is '.' or '[');

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 64 && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.');
}
