namespace NicHost.Host.Plugins;

/// <summary>Gives each kind to the first plugin that brings it, loads those that get one for the first time, and tells every plugin what became of it.</summary>
internal sealed class CatalogBuilder
{
    private readonly Dictionary<string, PluginEntry> _devices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PluginEntry> _endpoints = new(StringComparer.Ordinal);

    private CatalogBuilder() { }

    /// <param name="plugins">In the order that decides: by root, by name, the highest version first.</param>
    public static PluginCatalog Build(IReadOnlyList<PluginEntry> plugins)
    {
        var builder = new CatalogBuilder();
        foreach (var plugin in plugins.Where(p => p.Manifest is not null && p.Status != PluginStatus.Removed)) builder.Add(plugin);
        return new PluginCatalog(plugins, builder._devices, builder._endpoints);
    }

    private void Add(PluginEntry plugin)
    {
        var taken = Taken(plugin);
        if (taken.Count == plugin.DeviceKinds.Count + plugin.EndpointKinds.Count)
        {
            // Nobody asks for it: it stays unloaded until a topology names its version.
            var newer = taken.FirstOrDefault(t => t.Owner.Name == plugin.Name).Owner;
            if (newer is null) plugin.Judge(PluginStatus.Refused, string.Join(" ", taken.Select(t => Duplicate(t, plugin))));
            else plugin.Judge(PluginStatus.Superseded, Superseded(plugin, newer), [.. taken.Where(t => t.Owner.Name != plugin.Name).Select(t => Duplicate(t, plugin))]);
            return;
        }
        if (!plugin.IsProven && plugin.Load() is null) return;
        foreach (var kind in plugin.DeviceKinds) _devices.TryAdd(kind, plugin);
        foreach (var kind in plugin.EndpointKinds) _endpoints.TryAdd(kind, plugin);
        plugin.Judge(PluginStatus.Active, null, [.. taken.Select(t => Duplicate(t, plugin))]);
    }

    private List<(string What, PluginEntry Owner)> Taken(PluginEntry plugin)
    {
        var taken = new List<(string, PluginEntry)>();
        foreach (var kind in plugin.DeviceKinds)
        {
            if (_devices.TryGetValue(kind, out var owner)) taken.Add(($"Device kind \"{kind}\"", owner));
        }
        foreach (var kind in plugin.EndpointKinds)
        {
            if (_endpoints.TryGetValue(kind, out var owner)) taken.Add(($"Endpoint kind \"{kind}\"", owner));
        }
        return taken;
    }

    private static string Duplicate((string What, PluginEntry Owner) kind, PluginEntry plugin) => kind.Owner.Name == plugin.Name
        ? $"{kind.What} is {kind.Owner}'s."
        : $"{kind.What} is already there, from {kind.Owner} in {kind.Owner.Path}: the first in the order of the roots has it. Take one of the two away, or change the order.";

    private static string Superseded(PluginEntry plugin, PluginEntry owner)
    {
        var kind = plugin.DeviceKinds.Concat(plugin.EndpointKinds).First();
        var where = owner.Folder.Root == plugin.Folder.Root ? "" : $" in {owner.Path}, which comes first,";
        return plugin.Version.Length == 0
            ? $"{owner}{where} has its kinds. To keep this one, put it into a version folder and name that in the topology."
            : $"{owner}{where} has its kinds. A NIC that shall have this version says \"kind\": \"{kind}@{plugin.Version}\".";
    }
}
