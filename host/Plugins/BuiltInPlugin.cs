using System.Reflection;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;

namespace NicHost.Host.Plugins;

/// <summary>Kinds that come from no folder: those of the contracts assembly, and those of tests.</summary>
internal static class BuiltInPlugin
{
    public static PluginEntry Create()
    {
        var contracts = typeof(IEndpointFactory).Assembly;
        var endpoints = contracts.GetTypes()
            .Select(type => (type.GetCustomAttribute<EndpointKindAttribute>()?.Kind, Type: type)).Where(e => e.Kind is not null)
            .Select(e => (e.Kind!, (IEndpointFactory)Activator.CreateInstance(e.Type)!));
        return Create(new PluginFolder("built-in", "", Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), [], [.. endpoints]);
    }

    public static PluginEntry Create(PluginFolder folder, (string Kind, IDeviceFactory Factory)[] devices, (string Kind, IEndpointFactory Factory)[] endpoints)
    {
        var contracts = typeof(IEndpointFactory).Assembly;
        var manifest = new PluginManifest
        {
            MainAssembly = contracts.Location,
            Mvid = contracts.ManifestModule.ModuleVersionId,
            Contracts = contracts.GetName().Version!,
            DeviceKinds = [.. devices.Select(d => d.Kind).Order(StringComparer.Ordinal)],
            EndpointKinds = [.. endpoints.Select(e => e.Kind).Order(StringComparer.Ordinal)],
            Dependencies = [],
        };
        return PluginEntry.Usable(folder, manifest, default, entry => new LoadedPlugin(entry, devices, endpoints));
    }
}
