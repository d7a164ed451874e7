using System.Globalization;

namespace NicHost.Host.Diagnostics.Metrics;

/// <summary>Renders tags as <c>vm="web",nic="eth0"</c> into a buffer of the calling thread, which the next call uses again.</summary>
internal static class Labels
{
    [ThreadStatic]
    private static char[]? t_buffer;

    /// <summary>The meter's, the instrument's and the measurement's tags in this order.</summary>
    public static ReadOnlySpan<char> Render(string fixedLabels, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty) return fixedLabels;
        var length = Append(0, fixedLabels);
        foreach (var (name, value) in tags) length = Append(length, name, value);
        return t_buffer.AsSpan(0, length);
    }

    /// <summary>The labels that are the same for all measurements of an instrument.</summary>
    public static string Fixed(IEnumerable<KeyValuePair<string, object?>> tags) => new(Render("", [.. tags]));

    private static int Append(int length, string name, object? value)
    {
        if (length > 0) length = Append(length, ",");
        length = Append(length, Plain(name));
        length = Append(length, "=\"");
        length = AppendEscaped(length, value as string ?? Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
        return Append(length, "\"");
    }

    // Most names are valid: those cost nothing.
    private static string Plain(string name)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0])) return MetricName.Sanitize(name);
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_') return MetricName.Sanitize(name);
        }
        return name;
    }

    private static int AppendEscaped(int length, string value)
    {
        if (value.AsSpan().IndexOfAny('\\', '"', '\n') < 0) return Append(length, value);
        return Append(length, value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal));
    }

    private static int Append(int length, string text)
    {
        t_buffer ??= new char[256];
        if (length + text.Length > t_buffer.Length) Array.Resize(ref t_buffer, Math.Max(t_buffer.Length * 2, length + text.Length));
        text.CopyTo(t_buffer.AsSpan(length));
        return length + text.Length;
    }
}
