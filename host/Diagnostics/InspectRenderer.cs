using System.Globalization;
using System.Text;
using System.Text.Json;
using NicHost.Contracts.Diagnostics;

namespace NicHost.Host.Diagnostics;

/// <summary>An inspect tree as text or as JSON.</summary>
internal static class InspectRenderer
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    public static string Text(InspectNode root)
    {
        var text = new StringBuilder();
        Append(text, root, 0);
        return text.ToString();
    }

    public static string Json(InspectNode root)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Indented)) Write(json, root);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }

    private static void Append(StringBuilder text, InspectNode node, int depth)
    {
        text.Append(' ', depth * 2).Append(node.Name);
        if (!node.IsSection)
        {
            text.Append(": ").Append(Plain(node.Value)).Append('\n');
            return;
        }
        text.Append(node.Children.Count == 0 ? ": -\n" : "\n");
        foreach (var child in node.Children) Append(text, child, depth + 1);
    }

    /// <summary>A value as text for a terminal: what a guest or peer wrote does not steer it.</summary>
    public static string Plain(object? value) => value switch
    {
        null => "-",
        bool yes => yes ? "yes" : "no",
        string s => string.Concat(s.Select(c => char.IsControl(c) ? '?' : c)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static void Write(Utf8JsonWriter json, InspectNode node)
    {
        switch (node.Value)
        {
            case string s: json.WriteStringValue(s); return;
            case long l: json.WriteNumberValue(l); return;
            case double d when double.IsFinite(d): json.WriteNumberValue(d); return;
            case bool b: json.WriteBooleanValue(b); return;
        }
        if (!node.IsSection)
        {
            json.WriteNullValue();
            return;
        }
        json.WriteStartObject();
        // Two children of one name would be one too many for JSON readers: the later ones are numbered.
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var child in node.Children)
        {
            seen[child.Name] = seen.GetValueOrDefault(child.Name) + 1;
            json.WritePropertyName(seen[child.Name] == 1 ? child.Name : $"{child.Name}#{seen[child.Name]}");
            Write(json, child);
        }
        json.WriteEndObject();
    }
}
