using System.Reflection;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;

namespace NicHost.Host.Plugins;

/// <summary>Kind to factory, from the plugin roots in their order; the first plugin that brings a kind has it.</summary>
internal sealed class PluginCatalog : IKindSource
{
    private readonly SortedDictionary<string, PluginKind<IDeviceFactory>> _devices = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, PluginKind<IEndpointFactory>> _endpoints = new(StringComparer.Ordinal);
    private readonly List<PluginEntry> _plugins = [];

    private PluginCatalog() { }

    public IReadOnlyList<PluginEntry> Plugins => _plugins;

    public IReadOnlyDictionary<string, PluginKind<IDeviceFactory>> Devices => _devices;

    public IReadOnlyDictionary<string, PluginKind<IEndpointFactory>> Endpoints => _endpoints;

    public IReadOnlyList<string> DeviceKinds => [.. _devices.Keys];

    public IReadOnlyList<string> EndpointKinds => [.. _endpoints.Keys];

    public PluginKind<IDeviceFactory>? Device(string vm, string kind) => _devices.GetValueOrDefault(kind);

    public PluginKind<IEndpointFactory>? Endpoint(string vm, string kind) => _endpoints.GetValueOrDefault(kind);

    /// <summary>Loads what is in <paramref name="roots"/>. A folder that fails is an entry with the reason, and the rest goes on.</summary>
    public static PluginCatalog Load(IEnumerable<string> roots)
    {
        var catalog = new PluginCatalog();
        catalog.AddBuiltIns();
        foreach (var root in roots.Distinct(StringComparer.Ordinal))
        {
            if (!Directory.Exists(root))
                catalog._plugins.Add(new PluginEntry(Path.GetFileName(root), "", root, PluginStatus.Refused, "This plugin root does not exist."));
            foreach (var folder in PluginFolder.Scan(root)) catalog.Add(folder);
        }
        return catalog;
    }

    /// <summary>A catalog without folders, for tests.</summary>
    internal static PluginCatalog Of(IEnumerable<(string, IDeviceFactory)> devices, IEnumerable<(string, IEndpointFactory)> endpoints)
    {
        var catalog = new PluginCatalog();
        catalog.AddBuiltIns();
        catalog.AddKinds(new PluginFolder("test", "1.0.0", "/test"), [.. devices], [.. endpoints]);
        return catalog;
    }

    private void AddBuiltIns()
    {
        var entry = new PluginEntry("built-in", "", AppContext.BaseDirectory, PluginStatus.Active, null);
        _plugins.Add(entry);
        foreach (var type in typeof(IEndpointFactory).Assembly.GetTypes())
        {
            if (type.GetCustomAttribute<EndpointKindAttribute>() is not { } endpoint) continue;
            entry.EndpointKinds.Add(endpoint.Kind);
            _endpoints[endpoint.Kind] = new PluginKind<IEndpointFactory>(endpoint.Kind, (IEndpointFactory)Activator.CreateInstance(type)!, entry);
        }
    }

    private void Add(PluginFolder folder)
    {
        if (Refusal(folder) is { } refusal)
        {
            _plugins.Add(new PluginEntry(folder.Name, folder.Version, folder.Path, PluginStatus.Refused, refusal));
            return;
        }
        try
        {
            var context = PluginContext.Load(folder.MainAssembly()!);
            AddKinds(folder, [.. context.Devices().Select(e => (e.Metadata.Kind, e.Value))], [.. context.Endpoints().Select(e => (e.Metadata.Kind, e.Value))]);
        }
#pragma warning disable CA1031 // whatever is wrong with one folder must not stop the others
        catch (Exception e)
#pragma warning restore CA1031
        {
            _plugins.Add(new PluginEntry(folder.Name, folder.Version, folder.Path, PluginStatus.Faulted, PluginFault.Describe(e)));
        }
    }

    private void AddKinds(PluginFolder folder, (string Kind, IDeviceFactory Factory)[] devices, (string Kind, IEndpointFactory Factory)[] endpoints)
    {
        if (devices.Length + endpoints.Length == 0)
        {
            _plugins.Add(new PluginEntry(folder.Name, folder.Version, folder.Path, PluginStatus.Refused,
                "It exports no kind: mark a public factory with [DeviceKind] or [EndpointKind], built against the host's NicHost.Contracts."));
            return;
        }
        var entry = new PluginEntry(folder.Name, folder.Version, folder.Path, PluginStatus.Active, null);
        foreach (var (kind, factory) in devices)
        {
            if (_devices.TryGetValue(kind, out var first)) entry.Notes.Add(Duplicate("Device", kind, first.Plugin));
            else _devices.Add(kind, new PluginKind<IDeviceFactory>(kind, factory, entry));
            if (first is null) entry.DeviceKinds.Add(kind);
        }
        foreach (var (kind, factory) in endpoints)
        {
            if (_endpoints.TryGetValue(kind, out var first)) entry.Notes.Add(Duplicate("Endpoint", kind, first.Plugin));
            else _endpoints.Add(kind, new PluginKind<IEndpointFactory>(kind, factory, entry));
            if (first is null) entry.EndpointKinds.Add(kind);
        }
        var isUsed = entry.DeviceKinds.Count + entry.EndpointKinds.Count > 0;
        _plugins.Add(isUsed ? entry : entry with { Status = PluginStatus.Refused, Reason = string.Join(" ", entry.Notes) });
    }

    private static string Duplicate(string what, string kind, PluginEntry first) =>
        $"{what} kind \"{kind}\" is already there, from {first} in {first.Path}: the first in the order of the roots has it.";

    private static string? Refusal(PluginFolder folder)
    {
        if (folder.MainAssembly() is null)
            return $"No assembly: expected one .dll with its .deps.json, or NicHost.{folder.Name}.dll.";
        // A copy of what the host shares would be a stranger to the host: no exports, and no error.
        var stranger = Directory.EnumerateFiles(folder.Path, "*.dll").Select(Path.GetFileName)
            .FirstOrDefault(f => f == "NicHost.Contracts.dll" || f!.StartsWith("System.Composition.", StringComparison.Ordinal));
        return stranger is null ? null : $"{stranger} is in its folder, but the host shares its own. Reference it with ExcludeAssets=\"runtime\".";
    }
}
