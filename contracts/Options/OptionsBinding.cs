using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace NicHost.Contracts.Options;

/// <summary>Member by member, so that one wrong member does not hide the next.</summary>
internal static class OptionsBinding
{
    private const string Kind = "kind";

    /// <summary>Returns <paramref name="type"/> when none of its members, nor of the records in them, would lose a default.</summary>
    /// <exception cref="ArgumentException">A member is <c>init</c> without being required.</exception>
    public static JsonTypeInfo<T> RefuseInitDefaults<T>(JsonTypeInfo<T> type)
    {
        Refuse(typeof(T), []);
        return type;

        static void Refuse(Type owner, HashSet<Type> seen)
        {
            if (!seen.Add(owner)) return;
            foreach (var property in owner.GetProperties())
            {
                var element = property.PropertyType.IsGenericType ? property.PropertyType.GetGenericArguments()[^1] : property.PropertyType.GetElementType() ?? property.PropertyType;
                if (element.Assembly == owner.Assembly && element.IsClass) Refuse(element, seen);
                var isInit = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ?? false;
                if (isInit && !property.IsDefined(typeof(RequiredMemberAttribute), inherit: false))
                    throw new ArgumentException($"{owner.Name}.{property.Name} is init but not required: its default would be lost. Write get; set;.");
            }
        }
    }

    public static JsonObject WithoutKind(JsonElement options)
    {
        var copy = JsonObject.Create(options)!;
        copy.Remove(Kind);
        return copy;
    }

    public static void CheckMembers(JsonTypeInfo type, JsonElement options, ICollection<OptionFault> faults)
    {
        if (options.ValueKind != JsonValueKind.Object)
        {
            faults.Add(new OptionFault("$", $"This is {Article(options.ValueKind)}, not an object.", "Write an object: { … }."));
            return;
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in options.EnumerateObject())
        {
            if (!seen.Add(member.Name))
                faults.Add(new OptionFault($"$.{member.Name}", $"\"{member.Name}\" is given twice.", "Keep one of the two."));
            if (member.Name == Kind) continue;
            var property = type.Properties.FirstOrDefault(p => p.Name == member.Name);
            if (property is null) faults.Add(Unknown(type, member.Name));
            else CheckValue(property, member, faults);
        }
        foreach (var property in type.Properties)
        {
            if (property.IsRequired && !seen.Contains(property.Name))
                faults.Add(new OptionFault("$", $"\"{property.Name}\" is missing.", $"Add \"{property.Name}\"."));
        }
    }

    public static string? Nearest(string name, IEnumerable<string> known) =>
        known.Select(k => (Name: k, Distance: EditDistance(name, k)))
            .Where(k => k.Distance <= Math.Max(2, name.Length / 3))
            .OrderBy(k => k.Distance).ThenBy(k => k.Name, StringComparer.Ordinal)
            .Select(k => k.Name).FirstOrDefault();

    private static OptionFault Unknown(JsonTypeInfo type, string name)
    {
        var known = type.Properties.Select(p => p.Name).Order(StringComparer.Ordinal).ToArray();
        var near = Nearest(name, known);
        var remedy = near is not null ? $"Did you mean \"{near}\"?"
            : known.Length == 0 ? "Remove it: this kind has no options."
            : $"Remove it; known members: {string.Join(", ", known)}.";
        return new OptionFault($"$.{name}", $"\"{name}\" is not a member.", remedy);
    }

    private static void CheckValue(JsonPropertyInfo property, JsonProperty member, ICollection<OptionFault> faults)
    {
        var path = $"$.{member.Name}";
        if (member.Value.ValueKind == JsonValueKind.Null)
        {
            if (!property.IsSetNullable) faults.Add(new OptionFault(path, $"\"{member.Name}\" is null.", "Leave it out, or give a value."));
            return;
        }
        try
        {
            member.Value.Deserialize(property.Options.GetTypeInfo(property.PropertyType));
        }
        catch (JsonException e)
        {
            var inner = e.Path is { Length: > 1 } p && p.StartsWith('$') ? p[1..] : "";
            var found = member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array && inner.Length > 0
                ? "The value" : Shorten(member.Value.GetRawText());
            faults.Add(new OptionFault(path + inner, $"{found} is not {Expected(property.PropertyType, inner)}.", "Correct the value; the schema has its type and range."));
        }
    }

    private static string Expected(Type type, string innerPath)
    {
        if (innerPath.Length > 0) return "what this place takes";
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(bool)) return "true or false";
        if (type == typeof(string)) return "a string";
        if (type.IsEnum) return $"one of {string.Join(", ", Enum.GetNames(type).Select(n => char.ToLowerInvariant(n[0]) + n[1..]))}";
        if (type.IsPrimitive) return $"a number that fits ({type.Name})";
        return type.IsArray || typeof(System.Collections.IEnumerable).IsAssignableFrom(type) ? "a list (or map) of the right type" : "an object of the right shape";
    }

    private static string Article(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a truth value",
    };

    private static string Shorten(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 37), "...");

    private static int EditDistance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + cost));
            }
        }
        return row[b.Length];
    }
}
