using System.Composition.Hosting;
using System.Reflection;
using McMaster.NETCore.Plugins;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;

namespace NicHost.Host.Plugins;

/// <summary>
/// One plugin in its own, not collectible, load context (a collectible one loses tiered compilation), with its own container: one export
/// that cannot be composed spoils all parts of its container.
/// </summary>
internal sealed class PluginContext
{
    private readonly CompositionHost _container;

    private PluginContext(CompositionHost container) => _container = container;

    public IEnumerable<Lazy<IDeviceFactory, KindMetadata>> Devices() => _container.GetExports<Lazy<IDeviceFactory, KindMetadata>>();

    public IEnumerable<Lazy<IEndpointFactory, KindMetadata>> Endpoints() => _container.GetExports<Lazy<IEndpointFactory, KindMetadata>>();

    /// <summary>Loads the assembly at <paramref name="path"/>; the contracts, and all that they refer to, are the host's.</summary>
    /// <exception cref="ReflectionTypeLoadException">Built against other contracts.</exception>
    public static PluginContext Load(string path)
    {
        var loader = PluginLoader.CreateFromAssemblyFile(path, [typeof(IDeviceFactory)], config => config.IsLazyLoaded = true);
        var assembly = loader.LoadDefaultAssembly();
        // Asked for here so that a type that cannot be loaded shows now, not at the first packet.
        var parts = assembly.GetTypes().Where(type => type.IsDefined(typeof(DeviceKindAttribute)) || type.IsDefined(typeof(EndpointKindAttribute)));
        return new PluginContext(new ContainerConfiguration().WithParts(parts).CreateContainer());
    }
}

/// <summary>What MEF hands over of a kind attribute.</summary>
internal sealed class KindMetadata
{
    public string Kind { get; set; } = "";
}
