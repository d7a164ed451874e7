namespace NicHost.Host.Topology;

/// <summary>What a topology says about the process itself.</summary>
internal sealed record HostSettings
{
    /// <summary>Load contexts are collectible: for development.</summary>
    public bool Unloadable { get; init; }

    /// <summary>Plugin folders that others may write to are no reason to refuse.</summary>
    public bool AllowWritablePlugins { get; init; }

    /// <summary>In the order of the files; none means the root that ships with the host.</summary>
    public IReadOnlyList<WrittenPath> PluginRoots { get; init; } = [];

    public ControlSettings Control { get; init; } = new();
}

/// <summary>The control socket.</summary>
internal sealed record ControlSettings
{
    /// <summary>Its path; null for the default one.</summary>
    public WrittenPath? Path { get; init; }

    /// <summary>Its full path; null for the default one.</summary>
    public string? Socket => Path?.Full;

    public UnixFileMode Mode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>A user by name or number; null for the process's own.</summary>
    public string? Owner { get; init; }

    /// <summary>A group by name or number; null for the process's own.</summary>
    public string? Group { get; init; }
}
