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
