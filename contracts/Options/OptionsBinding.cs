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

    /// <param name="type">What the options should be.</param>
    /// <param name="options">The options object.</param>
    /// <param name="faults">Receives one entry per fault.</param>
    /// <param name="isPartial">Required members may be missing, except in what stands in a list: lists are not merged.</param>
    public static void CheckMembers(JsonTypeInfo type, JsonElement options, ICollection<OptionFault> faults, bool isPartial = false) =>
        CheckObject(type, "$", options, faults, isPartial);

    public static string? Nearest(string name, IEnumerable<string> known) =>
        known.Select(k => (Name: k, Distance: EditDistance(name, k)))
            .Where(k => k.Distance <= Math.Max(2, name.Length / 3))
            .OrderBy(k => k.Distance).ThenBy(k => k.Name, StringComparer.Ordinal)
            .Select(k => k.Name).FirstOrDefault();

    private static void CheckObject(JsonTypeInfo type, string path, JsonElement value, ICollection<OptionFault> faults, bool isPartial)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            faults.Add(new OptionFault(path, $"This is {Article(value.ValueKind)}, not an object.", "Write an object: { … }."));
            return;
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            var memberPath = $"{path}.{member.Name}";
            if (!seen.Add(member.Name)) faults.Add(new OptionFault(memberPath, $"\"{member.Name}\" is given twice.", "Keep one of the two."));
            // The kind is the host's: it chose this plugin by it.
            if (member.Name == Kind && path == "$") continue;
            var property = type.Properties.FirstOrDefault(p => p.Name == member.Name);
            if (property is null) faults.Add(Unknown(type, path, member.Name));
            else if (member.Value.ValueKind == JsonValueKind.Null && property.IsSetNullable) continue;
            else CheckMember(property, memberPath, member.Value, faults, isPartial);
        }
        foreach (var property in type.Properties)
        {
            if (!isPartial && property.IsRequired && !seen.Contains(property.Name))
                faults.Add(new OptionFault(path, $"\"{property.Name}\" is missing.", $"Add \"{property.Name}\"."));
        }
    }

    private static void CheckMember(JsonPropertyInfo property, string path, JsonElement value, ICollection<OptionFault> faults, bool isPartial)
    {
        var before = faults.Count;
        CheckValue(property.Options.GetTypeInfo(property.PropertyType), path, value, faults, isPartial);
        if (faults.Count > before || value.ValueKind != JsonValueKind.Number || OptionsRange.Of(property.AttributeProvider) is not { } range) return;
        if (!range.Contains(value.GetDouble())) faults.Add(new OptionFault(path, $"{Shorten(value.GetRawText())} is out of range.", $"Use {range}."));
    }

    private static OptionFault Unknown(JsonTypeInfo type, string path, string name)
    {
        var known = type.Properties.Select(p => p.Name).Order(StringComparer.Ordinal).ToArray();
        var near = Nearest(name, known);
        var remedy = near is not null ? $"Did you mean \"{near}\"?"
            : known.Length == 0 ? "Remove it: this kind has no options."
            : $"Remove it; known members: {string.Join(", ", known)}.";
        return new OptionFault($"{path}.{name}", $"\"{name}\" is not a member.", remedy);
    }

    private static void CheckValue(JsonTypeInfo type, string path, JsonElement value, ICollection<OptionFault> faults, bool isPartial)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            faults.Add(new OptionFault(path, "This is null.", "Leave it out, or give a value."));
            return;
        }
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object:
                CheckObject(type, path, value, faults, isPartial);
                break;
            case JsonTypeInfoKind.Enumerable when value.ValueKind == JsonValueKind.Array:
                var index = 0;
                foreach (var item in value.EnumerateArray()) CheckValue(ElementInfo(type), $"{path}[{index++}]", item, faults, isPartial: false);
                break;
            case JsonTypeInfoKind.Dictionary when value.ValueKind == JsonValueKind.Object:
                foreach (var member in value.EnumerateObject()) CheckValue(ElementInfo(type), $"{path}.{member.Name}", member.Value, faults, isPartial);
                break;
            case JsonTypeInfoKind.Enumerable:
                faults.Add(new OptionFault(path, $"This is {Article(value.ValueKind)}, not a list.", "Write a list: [ … ]."));
                break;
            case JsonTypeInfoKind.Dictionary:
                faults.Add(new OptionFault(path, $"This is {Article(value.ValueKind)}, not an object.", "Write an object: { … }."));
                break;
            default:
                try { value.Deserialize(type); }
                catch (JsonException) { faults.Add(new OptionFault(path, $"{Shorten(value.GetRawText())} is not {Expected(type)}.", "Correct the value; the schema has its type and range.")); }
                break;
        }
    }

    private static JsonTypeInfo ElementInfo(JsonTypeInfo list) =>
        list.Options.GetTypeInfo(list.Type.GetElementType() ?? list.Type.GetGenericArguments()[^1]);

    private static string Expected(JsonTypeInfo info)
    {
        var type = Nullable.GetUnderlyingType(info.Type) ?? info.Type;
        if (type == typeof(bool)) return "true or false";
        if (type == typeof(string)) return "a string";
        // As the type's own converter writes them.
        if (type.IsEnum) return $"one of {string.Join(", ", Enum.GetValuesAsUnderlyingType(type).Cast<object>().Select(v => JsonSerializer.SerializeToElement(Enum.ToObject(type, v), info).ToString()))}";
        if (type == typeof(float) || type == typeof(double) || type == typeof(decimal)) return "a number";
        if (type.IsPrimitive) return "a whole number in range";
        return "a value of the right type";
    }

    private static string Article(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
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
