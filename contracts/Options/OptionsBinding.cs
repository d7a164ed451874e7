using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace NicHost.Contracts.Options;

/// <summary>Member by member, so that one wrong member does not hide the next.</summary>
internal static class OptionsBinding
{
    public const string Kind = "kind";

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

    public static JsonTypeInfo ElementInfo(JsonTypeInfo list) =>
        list.Options.GetTypeInfo(list.Type.GetElementType() ?? list.Type.GetGenericArguments()[^1]);

    public static string? Nearest(string name, IEnumerable<string> known) =>
        known.Select(k => (Name: k, Distance: EditDistance(name, k)))
            .Where(k => k.Distance <= Math.Max(2, name.Length / 3))
            .OrderBy(k => k.Distance).ThenBy(k => k.Name, StringComparer.Ordinal)
            .Select(k => k.Name).FirstOrDefault();

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
