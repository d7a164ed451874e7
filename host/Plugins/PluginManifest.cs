namespace NicHost.Host.Plugins;

/// <summary>What a plugin folder says of itself, read without loading it.</summary>
internal sealed record PluginManifest
{
    /// <summary>Path of the plugin's own assembly.</summary>
    public required string MainAssembly { get; init; }

    /// <summary>Identity of that file's content.</summary>
    public required Guid Mvid { get; init; }

    /// <summary>The version of NicHost.Contracts that it was built against.</summary>
    public required Version Contracts { get; init; }

    public required IReadOnlyList<string> DeviceKinds { get; init; }

    public required IReadOnlyList<string> EndpointKinds { get; init; }

    /// <summary>Names of the private assemblies that it refers to, directly or not.</summary>
    public required IReadOnlyList<string> Dependencies { get; init; }
}
