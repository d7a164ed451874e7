using System.Text.Json;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;
using NicHost.Host.Plugins;

namespace NicHost.Host.Topology;

/// <summary>Reads a <c>device</c> or <c>endpoint</c>: finds its kind, puts its defaults below it, and has the plugin check it.</summary>
internal sealed class PartReader(IKindSource kinds, TopologyDefaults defaults)
{
    public (PartModel<IDeviceFactory> Model, Layered Options)? Device(string vm, Layered part) =>
        Read("device", "Device", part, kinds.DeviceKinds, plugin => plugin.DeviceKinds, kind => kinds.Device(vm, kind), factory => factory.Options);

    public (PartModel<IEndpointFactory> Model, Layered Options)? Endpoint(string vm, Layered part) =>
        Read("endpoint", "Endpoint", part, kinds.EndpointKinds, plugin => plugin.EndpointKinds, kind => kinds.Endpoint(vm, kind), factory => factory.Options);

    /// <summary>Runs a plugin's check and reports what it finds where that stands.</summary>
    /// <returns>Whether there was nothing that the file is to blame for.</returns>
    public static bool Tell(Layered part, Action<ICollection<OptionFault>> check)
    {
        var faults = new List<OptionFault>();
        try { check(faults); }
#pragma warning disable CA1031 // the plugin's own check failed: that, too, is for the user to read
        catch (Exception e) { part.Add("$", $"The plugin's check failed: {PluginFault.Describe(e)}", "Report it to the plugin's author.", isPlugins: true); }
#pragma warning restore CA1031
        foreach (var fault in faults) part.Add(fault.Path, fault.Message, fault.Remedy);
        return faults.Count == 0;
    }

    private (PartModel<TFactory>, Layered)? Read<TFactory>(string member, string what, Layered part, IReadOnlyList<string> known,
        Func<PluginEntry, IReadOnlyList<string>> kindsOf, Func<string, PluginKind<TFactory>?> find, Func<TFactory, OptionsModel> options) where TFactory : class
    {
        if (part.Value.ValueKind != JsonValueKind.Object)
        {
            part.Place.Add("This is not an object.", $"Write {{ \"kind\": … }}. {KindName.Known(known)}");
            return null;
        }
        if (part.Member("kind") is not { } kind)
        {
            part.Place.Add("\"kind\" is missing.", $"Add \"kind\". {KindName.Known(known)}");
            return null;
        }
        if (kind.Value.ValueKind != JsonValueKind.String || find(kind.Value.GetString()!) is not { } source)
        {
            var remedy = kind.Value.ValueKind == JsonValueKind.String ? Remedy(kind.Value.GetString()!, known, kindsOf) : KindName.Known(known);
            kind.Place.Add($"{what} kind {kind.Value.GetRawText()} is not there.", remedy.StartsWith("Did", StringComparison.Ordinal) ? remedy : $"{remedy} {Refused()}".TrimEnd());
            return null;
        }
        var merged = Layered.Over(defaults.Part(member, kind.Value.GetString()!), part);
        var value = merged.Value;
        var holds = Tell(merged, faults =>
        {
            var model = options(source.Factory);
            model.Check(merged.Value, faults);
            value = WithPathsOf(merged, model);
        });
        return holds ? (new PartModel<TFactory>(source, value), merged) : null;
    }

    private string Remedy(string written, IReadOnlyList<string> known, Func<PluginEntry, IReadOnlyList<string>> kindsOf)
    {
        var wanted = KindReference.Parse(written);
        if (wanted.Version is null || !known.Contains(wanted.Kind)) return KindName.Remedy(written, known);
        return KindName.OtherVersion(wanted.Kind, [.. kinds.Plugins.Where(plugin => plugin.IsOffered && plugin.Version.Length > 0 && kindsOf(plugin).Contains(wanted.Kind)).Select(plugin => plugin.Version)]);
    }

    // A NIC has one folder that its relative paths start from; a default may stand in a file of another folder.
    private static JsonElement WithPathsOf(Layered options, OptionsModel model)
    {
        var folder = options.Place.File.BaseDirectory;
        return options.IsOfOneFolder
            ? options.Value
            : JsonText.Build(json => model.MapPaths(options.Value, (path, text) => new WrittenPath(text, options.Find(path).File.BaseDirectory).From(folder)).WriteTo(json));
    }

    private string Refused()
    {
        var refused = kinds.Plugins.Where(p => p.Status is PluginStatus.Refused or PluginStatus.Faulted).Select(p => $"{p} ({p.Reason})").ToArray();
        return refused.Length == 0 ? "" : $"Not loaded: {string.Join("; ", refused)}";
    }
}
