using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;

namespace NicHost.Host.Plugins;

/// <summary>A plugin folder as the catalog sees it.</summary>
internal sealed record PluginEntry(string Name, string Version, string Path, PluginStatus Status, string? Reason)
{
    public List<string> DeviceKinds { get; } = [];

    public List<string> EndpointKinds { get; } = [];

    /// <summary>Single kinds that were refused though the plugin is active.</summary>
    public List<string> Notes { get; } = [];

    public override string ToString() => Version.Length == 0 ? Name : $"{Name} {Version}";
}

/// <summary>A kind of device and where it comes from.</summary>
internal sealed record DeviceKind(string Kind, IDeviceFactory Factory, PluginEntry Plugin);

/// <summary>A kind of endpoint and where it comes from.</summary>
internal sealed record EndpointKind(string Kind, IEndpointFactory Factory, PluginEntry Plugin);
