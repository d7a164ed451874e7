using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NicHost.Host.Topology;

/// <summary>A resolved topology as stable text.</summary>
internal static class TopologyText
{
    public static string Render(TopologyModel topology)
    {
        var text = new StringBuilder();
        foreach (var nic in topology.Vms.SelectMany(vm => vm.Nics))
        {
            text.AppendLine(nic.Identity.ToString())
                .AppendLine(CultureInfo.InvariantCulture, $"  mac       {nic.Mac}{(nic.MacIsDerived ? " (derived)" : "")}")
                .AppendLine(CultureInfo.InvariantCulture, $"  mtu       {nic.Mtu}");
            Part(text, "device  ", nic.Device);
            Part(text, "endpoint", nic.Endpoint);
        }
        return text.ToString();
    }

    private static void Part<TFactory>(StringBuilder text, string name, PartModel<TFactory> part) where TFactory : class
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"  {name}  {part.Kind}");
        foreach (var member in part.Options.EnumerateObject().Where(m => m.Name != "kind").OrderBy(m => m.Name, StringComparer.Ordinal))
            text.AppendLine(CultureInfo.InvariantCulture, $"    {member.Name} {Compact(member.Value)}");
    }

    // Through a node: the raw text would carry the file's line breaks and comments.
    private static string Compact(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(value)!.ToJsonString(),
        JsonValueKind.Array => JsonArray.Create(value)!.ToJsonString(),
        _ => value.GetRawText(),
    };
}
