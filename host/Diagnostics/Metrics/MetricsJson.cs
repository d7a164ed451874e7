using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace NicHost.Host.Diagnostics.Metrics;

/// <summary>
/// The text exposition format as JSON: a list of families, each with <c>name</c>, <c>type</c>, <c>help</c> and its <c>samples</c> of <c>name</c>,
/// <c>labels</c> and <c>value</c>, which is null where it is no finite number.
/// </summary>
internal static class MetricsJson
{
    /// <param name="text">What <see cref="PrometheusWriter"/> has written.</param>
    public static JsonArray Of(string text)
    {
        var families = new JsonArray();
        var help = "";
        JsonArray samples = [];
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal)) help = Unescape(line.Split(' ', 4)[3]);
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var words = line.Split(' ');
                samples = [];
                families.Add(new JsonObject { ["name"] = words[2], ["type"] = words[3], ["help"] = help, ["samples"] = samples });
                help = "";
            }
            else samples.Add(Sample(line));
        }
        return families;
    }

    private static JsonNode Sample(string line)
    {
        var value = line.LastIndexOf(' ');
        var open = line.IndexOf('{', StringComparison.Ordinal);
        var number = double.TryParse(line.AsSpan(value + 1), CultureInfo.InvariantCulture, out var parsed) && double.IsFinite(parsed) ? JsonValue.Create(parsed) : null;
        return new JsonObject { ["name"] = line[..(open < 0 ? value : open)], ["labels"] = open < 0 ? [] : Labels(line[(open + 1)..(value - 1)]), ["value"] = number };
    }

    // name="value",name="value": a value may hold any of these characters, quotes with a backslash before them.
    private static JsonObject Labels(string text)
    {
        var labels = new JsonObject();
        for (var i = 0; i < text.Length;)
        {
            var equals = text.IndexOf('=', i);
            var end = equals + 2;
            while (text[end] != '"') end += text[end] == '\\' ? 2 : 1;
            labels[text[i..equals]] = Unescape(text[(equals + 2)..end]);
            i = end + 2;
        }
        return labels;
    }

    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal)) return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length) plain.Append(text[++i] == 'n' ? '\n' : text[i]);
            else plain.Append(text[i]);
        }
        return plain.ToString();
    }
}
