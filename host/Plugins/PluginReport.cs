using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using NicHost.Contracts.Diagnostics;

namespace NicHost.Host.Plugins;

/// <summary>What <c>nichost plugins</c> shows; travels as JSON from a running host.</summary>
internal sealed record PluginReport
{
    public required IReadOnlyList<PluginLine> Plugins { get; init; }

    /// <summary>Whether every folder can be used, or was so once.</summary>
    [JsonIgnore]
    public bool IsFine => Plugins.All(plugin => !plugin.IsBroken);

    /// <summary>A catalog, with the VMs that use its plugins.</summary>
    public static PluginReport Of(PluginCatalog catalog, IEnumerable<(string Vm, PluginEntry Plugin)> users)
    {
        var vms = users.ToLookup(user => user.Plugin, user => user.Vm);
        return new PluginReport { Plugins = [.. catalog.Plugins.Select(plugin => PluginLine.Of(plugin, catalog, vms[plugin]))] };
    }

    public static PluginReport Parse(string json) => JsonSerializer.Deserialize(json, PluginReportJson.Readable.PluginReport)!;

    public string ToJson() => JsonSerializer.Serialize(this, PluginReportJson.Readable.PluginReport) + "\n";

    public string ToText()
    {
        string[][] rows = [["plugin", "status", "contracts", "kinds", "VMs"], .. Plugins.Select(plugin => plugin.Cells())];
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        for (var i = 0; i < rows.Length; i++)
        {
            var line = string.Join("  ", rows[i].Select((cell, column) => cell.PadRight(widths[column])));
            text.Append(line.TrimEnd()).Append('\n');
            foreach (var detail in i == 0 ? [] : Plugins[i - 1].Details()) text.Append(CultureInfo.InvariantCulture, $"  {detail}\n");
        }
        return text.ToString();
    }
}

/// <summary>One plugin folder.</summary>
internal sealed record PluginLine
{
    private const string None = "-";

    public required string Name { get; init; }
    public required string Version { get; init; }
    public required string Status { get; init; }
    public string? Reason { get; init; }
    public required IReadOnlyList<string> Notes { get; init; }
    public required string Path { get; init; }

    /// <summary>The version of the contracts that it was built against; null when nobody could read it.</summary>
    public string? Contracts { get; init; }

    public required IReadOnlyList<string> Devices { get; init; }
    public required IReadOnlyList<string> Endpoints { get; init; }
    public required bool Loaded { get; init; }

    /// <summary>Where its code is: <c>notLoaded</c>, <c>loaded</c>, <c>unloading</c>, <c>unloaded</c> or <c>leaked</c>.</summary>
    public required string Code { get; init; }

    public required IReadOnlyList<string> Vms { get; init; }

    [JsonIgnore]
    public bool IsBroken => Status == Word(PluginStatus.Refused) || Status == Word(PluginStatus.Faulted);

    public static PluginLine Of(PluginEntry plugin, PluginCatalog catalog, IEnumerable<string> vms)
    {
        // Of an active one those that it has: what another plugin has is in the notes.
        var isActive = plugin.Status == PluginStatus.Active;
        return new PluginLine
        {
            Name = plugin.Name,
            Version = plugin.Version,
            Status = Word(plugin.Status),
            Reason = plugin.Reason,
            Notes = plugin.Notes,
            Path = plugin.Path,
            Contracts = plugin.Manifest?.Contracts.ToString(2),
            Devices = [.. plugin.DeviceKinds.Where(kind => !isActive || catalog.DeviceOwners[kind] == plugin)],
            Endpoints = [.. plugin.EndpointKinds.Where(kind => !isActive || catalog.EndpointOwners[kind] == plugin)],
            Loaded = plugin.IsLoaded,
            Code = InspectWriter.CamelCase(plugin.Code.ToString()),
            Vms = [.. vms.Distinct().Order(StringComparer.Ordinal)],
        };
    }

    public string[] Cells()
    {
        string[] kinds = [.. Devices.Select(kind => $"device {kind}"), .. Endpoints.Select(kind => $"endpoint {kind}")];
        return [$"{Name} {Version}".TrimEnd(), Status, Contracts ?? None, kinds.Length == 0 ? None : string.Join(", ", kinds), Vms.Count == 0 ? None : string.Join(", ", Vms)];
    }

    public IEnumerable<string> Details() => new[] { Reason }.Concat(Notes).Append(CodeInWords()).Append(Path).OfType<string>();

    // What goes without saying is not said.
    private string? CodeInWords() => Enum.Parse<PluginCode>(Code, ignoreCase: true) switch
    {
        PluginCode.Unloading => "No NIC uses it: it is being unloaded.",
        PluginCode.Unloaded => "No NIC uses it: it was unloaded.",
        PluginCode.Leaked => "No NIC uses it, but something of its own keeps it in memory: a static event, a timer, a thread, a meter. The log has more.",
        _ => null,
    };

    private static string Word(PluginStatus status) => InspectWriter.CamelCase(status.ToString());
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(PluginReport))]
internal sealed partial class PluginReportJson : JsonSerializerContext
{
    /// <summary>Paths and quotes as they are, not escaped for HTML.</summary>
    public static PluginReportJson Readable => field ??= new(new JsonSerializerOptions(Default.GeneratedSerializerOptions!) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
