using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace NicHost.Contracts.Options;

/// <summary>Looks at options member by member, so that one wrong member does not hide the next.</summary>
internal sealed class MemberCheck
{
    private readonly ICollection<OptionFault> _faults;
    private bool _isBindable = true;

    private MemberCheck(ICollection<OptionFault> faults) => _faults = faults;

    /// <param name="type">What the options should be.</param>
    /// <param name="options">The options object.</param>
    /// <param name="faults">Receives one entry per fault.</param>
    /// <param name="isPartial">Required members may be missing, except in what stands in a list: lists are not merged.</param>
    /// <returns>Whether the options can be bound: every member has its type, though perhaps not its range.</returns>
    public static bool Run(JsonTypeInfo type, JsonElement options, ICollection<OptionFault> faults, bool isPartial = false)
    {
        var check = new MemberCheck(faults);
        check.CheckObject(type, "$", options, isPartial);
        return check._isBindable;
    }

    private void CheckObject(JsonTypeInfo type, string path, JsonElement value, bool isPartial)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            Refuse(new OptionFault(path, $"This is {Article(value.ValueKind)}, not an object.", "Write an object: { … }."));
            return;
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            var memberPath = OptionsPath.Member(path, member.Name);
            if (!seen.Add(member.Name)) Refuse(new OptionFault(memberPath, $"\"{member.Name}\" is given twice.", "Keep one of the two."));
            // The kind is the host's: it chose this plugin by it.
            if (member.Name == OptionsBinding.Kind && path == "$") continue;
            var property = type.Properties.FirstOrDefault(p => p.Name == member.Name && IsGiven(p));
            if (property is null) Refuse(Unknown(type, path, member.Name));
            else if (member.Value.ValueKind == JsonValueKind.Null && property.IsSetNullable) continue;
            else CheckMember(property, memberPath, member.Value, isPartial);
        }
        foreach (var property in type.Properties)
        {
            if (!isPartial && property.IsRequired && !seen.Contains(property.Name))
                Refuse(new OptionFault(path, $"\"{property.Name}\" is missing.", $"Add \"{property.Name}\"."));
        }
    }

    /// <summary>Whether a file can give it: what an options type computes, or has marked as ignored, is no member.</summary>
    private static bool IsGiven(JsonPropertyInfo property) => property.Set is not null || property.AssociatedParameter is not null;

    private void CheckMember(JsonPropertyInfo property, string path, JsonElement value, bool isPartial)
    {
        var before = _faults.Count;
        CheckValue(property.Options.GetTypeInfo(property.PropertyType), path, value, isPartial);
        if (HostPaths.IsOne(property)) CheckPaths(path, value);
        if (_faults.Count > before) return;
        if (value.ValueKind == JsonValueKind.Number && OptionsRange.Of(property.AttributeProvider) is { } range && !range.Contains(value.GetDouble()))
            _faults.Add(new OptionFault(path, $"{Shorten(value.GetRawText())} is out of range.", $"Use {range}."));
    }

    private void CheckPaths(string path, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String && !HostPaths.IsPath(value.GetString()!))
            _faults.Add(new OptionFault(path, "This is not a path.", "Write one, from / on or relative to the folder of the topology file."));
        if (value.ValueKind != JsonValueKind.Array) return;
        var index = 0;
        foreach (var item in value.EnumerateArray()) CheckPaths(OptionsPath.Item(path, index++), item);
    }

    private void Refuse(OptionFault fault)
    {
        _isBindable = false;
        _faults.Add(fault);
    }

    private static OptionFault Unknown(JsonTypeInfo type, string path, string name)
    {
        var known = type.Properties.Where(IsGiven).Select(p => p.Name).Order(StringComparer.Ordinal).ToArray();
        var near = OptionsBinding.Nearest(name, known);
        var remedy = near is not null ? $"Did you mean \"{near}\"?"
            : known.Length == 0 ? "Remove it: this kind has no options."
            : $"Remove it; known members: {string.Join(", ", known)}.";
        return new OptionFault(OptionsPath.Member(path, name), $"\"{name}\" is not a member.", remedy);
    }

    private void CheckValue(JsonTypeInfo type, string path, JsonElement value, bool isPartial)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            Refuse(new OptionFault(path, "This is null.", "Leave it out, or give a value."));
            return;
        }
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object:
                CheckObject(type, path, value, isPartial);
                break;
            case JsonTypeInfoKind.Enumerable when value.ValueKind == JsonValueKind.Array:
                var index = 0;
                foreach (var item in value.EnumerateArray()) CheckValue(OptionsBinding.ElementInfo(type), OptionsPath.Item(path, index++), item, isPartial: false);
                break;
            case JsonTypeInfoKind.Dictionary when value.ValueKind == JsonValueKind.Object:
                foreach (var member in value.EnumerateObject()) CheckValue(OptionsBinding.ElementInfo(type), OptionsPath.Member(path, member.Name), member.Value, isPartial);
                break;
            case JsonTypeInfoKind.Enumerable:
                Refuse(new OptionFault(path, $"This is {Article(value.ValueKind)}, not a list.", "Write a list: [ … ]."));
                break;
            case JsonTypeInfoKind.Dictionary:
                Refuse(new OptionFault(path, $"This is {Article(value.ValueKind)}, not an object.", "Write an object: { … }."));
                break;
            default:
                try { value.Deserialize(type); }
                catch (JsonException) { Refuse(new OptionFault(path, $"{Shorten(value.GetRawText())} is not {Expected(type)}.", "Correct the value; the schema has its type and range.")); }
                break;
        }
    }

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
}
