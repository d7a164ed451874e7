using System.Text;
using System.Text.Json.Nodes;

namespace NicHost.Host.Topology;

/// <summary>A resolved topology for people and for snapshots: a line for each value, so that a change is a line, too.</summary>
internal static class TopologyText
{
    public static string Render(JsonObject resolved)
    {
        var text = new StringBuilder("host\n");
        foreach (var (name, value) in resolved.Where(member => member.Key != "vms")) Member(text, "  ", name, value);
        foreach (var (vm, members) in resolved["vms"]!.AsObject())
        {
            var nics = members!["nics"]!.AsObject();
            if (nics.Count == 0) text.Append(vm).Append("\n  no NICs\n");
            foreach (var (nic, parts) in nics)
            {
                text.Append(vm).Append('/').Append(nic).Append('\n');
                Members(text, "  ", parts!.AsObject());
            }
        }
        return text.ToString();
    }

    private static void Members(StringBuilder text, string indent, JsonObject members)
    {
        foreach (var (name, value) in members) Member(text, indent, name, value);
    }

    private static void Member(StringBuilder text, string indent, string name, JsonNode? value)
    {
        text.Append(indent).Append(name).Append(':');
        if (value is not (JsonObject { Count: > 0 } or JsonArray { Count: > 0 }))
        {
            text.Append(' ').Append(Plain(value)).Append('\n');
            return;
        }
        text.Append('\n');
        if (value is JsonObject members) Members(text, indent + "  ", members);
        else Items(text, indent + "  ", value.AsArray());
    }

    private static void Items(StringBuilder text, string indent, JsonArray items)
    {
        foreach (var item in items)
        {
            if (item is not JsonObject { Count: > 0 } members)
            {
                text.Append(indent).Append("- ").Append(Plain(item)).Append('\n');
                continue;
            }
            // The first member stands behind the dash, the others below it.
            var start = text.Length;
            Members(text, indent + "  ", members);
            text[start + indent.Length] = '-';
        }
    }

    private static string Plain(JsonNode? value) => value is null ? "null" : JsonText.Line(value);
}
