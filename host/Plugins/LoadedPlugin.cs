using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;

namespace NicHost.Host.Plugins;

/// <summary>A plugin's factories, made once.</summary>
internal sealed class LoadedPlugin
{
    public LoadedPlugin(PluginEntry entry, IEnumerable<(string Kind, IDeviceFactory Factory)> devices, IEnumerable<(string Kind, IEndpointFactory Factory)> endpoints)
    {
        Devices = devices.ToDictionary(d => d.Kind, d => new PluginKind<IDeviceFactory>(d.Kind, d.Factory, entry), StringComparer.Ordinal);
        Endpoints = endpoints.ToDictionary(e => e.Kind, e => new PluginKind<IEndpointFactory>(e.Kind, e.Factory, entry), StringComparer.Ordinal);
    }

    public IReadOnlyDictionary<string, PluginKind<IDeviceFactory>> Devices { get; }

    public IReadOnlyDictionary<string, PluginKind<IEndpointFactory>> Endpoints { get; }

    /// <summary>Keeps a context that can be unloaded; null for the host's own kinds.</summary>
    public PluginContext? Context { get; init; }

    /// <summary>What its folder held; null where that is not followed.</summary>
    public string? Content { get; init; }

    public double LoadMilliseconds { get; init; }

    public double ComposeMilliseconds { get; init; }
}
