using System.Collections.Immutable;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;

namespace NicHost.Host.Plugins;

/// <summary>
/// Which kind comes from where, at one moment; never changes. A folder that appears later is in the next catalog. It holds no factories: those
/// are asked of their plugin, which may have to be loaded again.
/// </summary>
internal sealed class PluginCatalog : IKindSource
{
    private readonly ImmutableSortedDictionary<string, PluginEntry> _devices;
    private readonly ImmutableSortedDictionary<string, PluginEntry> _endpoints;

    public PluginCatalog(IReadOnlyList<PluginEntry> plugins, IReadOnlyDictionary<string, PluginEntry> devices, IReadOnlyDictionary<string, PluginEntry> endpoints)
    {
        Plugins = plugins;
        _devices = devices.ToImmutableSortedDictionary(StringComparer.Ordinal);
        _endpoints = endpoints.ToImmutableSortedDictionary(StringComparer.Ordinal);
        DeviceKinds = [.. _devices.Keys];
        EndpointKinds = [.. _endpoints.Keys];
    }

    /// <summary>Every folder, in the order that decides who has a kind; the host's own kinds come first.</summary>
    public IReadOnlyList<PluginEntry> Plugins { get; }

    /// <summary>The plugin that has each device kind, sorted.</summary>
    public IReadOnlyDictionary<string, PluginEntry> DeviceOwners => _devices;

    /// <summary>The plugin that has each endpoint kind, sorted.</summary>
    public IReadOnlyDictionary<string, PluginEntry> EndpointOwners => _endpoints;

    public IReadOnlyList<string> DeviceKinds { get; }

    public IReadOnlyList<string> EndpointKinds { get; }

    public PluginKind<IDeviceFactory>? Device(string vm, string kind) => Find(KindReference.Parse(kind), _devices, plugin => plugin.Devices)
        ?? Broken(KindReference.Parse(kind), plugin => plugin.DeviceKinds, plugin => (IDeviceFactory)new BrokenDevice(plugin));

    public PluginKind<IEndpointFactory>? Endpoint(string vm, string kind) => Find(KindReference.Parse(kind), _endpoints, plugin => plugin.Endpoints)
        ?? Broken(KindReference.Parse(kind), plugin => plugin.EndpointKinds, plugin => (IEndpointFactory)new BrokenEndpoint(plugin));

    /// <summary>Looks once at what is in <paramref name="roots"/>.</summary>
    public static PluginCatalog Load(IEnumerable<string> roots) => Load(new PluginSettings([.. roots]));

    /// <inheritdoc cref="Load(IEnumerable{string})"/>
    public static PluginCatalog Load(PluginSettings settings) => new PluginInventory().LookAgain(settings, _ => false);

    /// <summary>A catalog without folders, for tests.</summary>
    internal static PluginCatalog Of(IEnumerable<(string, IDeviceFactory)> devices, IEnumerable<(string, IEndpointFactory)> endpoints) =>
        CatalogBuilder.Build([BuiltInPlugin.Create(), BuiltInPlugin.Create(new PluginFolder("test", "1.0.0", "/test"), [.. devices], [.. endpoints])]);

    /// <summary>The kind of a plugin that failed, where no other brings it.</summary>
    private PluginKind<TFactory>? Broken<TFactory>(KindReference wanted, Func<PluginEntry, IReadOnlyList<string>> kinds, Func<PluginEntry, TFactory> stand) where TFactory : class
    {
        var plugin = Plugins.FirstOrDefault(p => p.Status == PluginStatus.Faulted && kinds(p).Contains(wanted.Kind) && (wanted.Version ?? p.Version) == p.Version);
        return plugin is null ? null : new PluginKind<TFactory>(wanted.Kind, stand(plugin), plugin);
    }

    private PluginKind<TFactory>? Find<TFactory>(
        KindReference wanted, ImmutableSortedDictionary<string, PluginEntry> owners, Func<LoadedPlugin, IReadOnlyDictionary<string, PluginKind<TFactory>>> kinds)
        where TFactory : class
    {
        if (!owners.TryGetValue(wanted.Kind, out var owner)) return null;
        var fitting = wanted.Version is null ? [owner]
            : Plugins.Where(plugin => plugin.Name == owner.Name && plugin.Version == wanted.Version && plugin.Status != PluginStatus.Removed);
        return fitting.Select(plugin => plugin.Load() is { } loaded ? kinds(loaded).GetValueOrDefault(wanted.Kind) : null).FirstOrDefault(found => found is not null);
    }
}
