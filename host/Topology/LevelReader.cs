using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NicHost.Contracts.Options;

namespace NicHost.Host.Topology;

/// <summary>Reads one level of a topology with the same checks as plugin options: unknown, missing and mistyped members.</summary>
internal static class LevelReader
{
    /// <summary>Reports all faults of an object.</summary>
    /// <returns>Its members that can be used; none when it is no object.</returns>
    public static IReadOnlyDictionary<string, Layered> Read<T>(Layered level, JsonTypeInfo<T> type) where T : class
    {
        var faults = new List<OptionFault>();
        MemberCheck.Run(type, level.Value, faults);
        foreach (var fault in faults) level.Add(fault.Path, fault.Message, fault.Remedy);
        if (level.Value.ValueKind != JsonValueKind.Object) return new Dictionary<string, Layered>();
        // "kind" belongs to device and endpoint; the check of members passes over it everywhere.
        RefuseKind(level, "It belongs into \"device\" and \"endpoint\".");
        return level.Value.EnumerateObject()
            .Where(m => type.Properties.Any(p => p.Name == m.Name) && !faults.Any(f => JsonPath.IsWithin(f.Path, $"$.{m.Name}")))
            .ToDictionary(m => m.Name, m => level.Member(m.Name)!, StringComparer.Ordinal);
    }

    public static void RefuseKind(Layered level, string remedy)
    {
        if (level.Member("kind") is { } kind) kind.Place.Add("\"kind\" is not a member here.", remedy);
    }

    /// <summary>The named things of a map; reports names that are none.</summary>
    public static IEnumerable<(string Name, Layered Value)> Named(Layered map, string what)
    {
        foreach (var member in map.Value.EnumerateObject())
        {
            var value = map.Member(member.Name)!;
            if (!IsName(member.Name))
                value.Place.Add($"\"{member.Name}\" is no name for a {what}.", "Use 1 to 64 of a-z 0-9 - _ . and start with a letter or digit.");
            yield return (member.Name, value);
        }
    }

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 64 && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.');
}
