namespace NicHost.Host.Topology;

/// <summary>What a topology says about the process itself.</summary>
internal sealed record HostSettings
{
    /// <summary>Load contexts are collectible: for development.</summary>
    public bool Unloadable { get; init; }

    /// <summary>Plugin folders that others may write to are no reason to refuse.</summary>
    public bool AllowWritablePlugins { get; init; }

    public ControlSettings Control { get; init; } = new();
}

/// <summary>The control socket.</summary>
internal sealed record ControlSettings
{
    /// <summary>Its full path; null for the default one.</summary>
    public string? Socket { get; init; }

    public UnixFileMode Mode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>A user by name or number; null for the process's own.</summary>
    public string? Owner { get; init; }

    /// <summary>A group by name or number; null for the process's own.</summary>
    public string? Group { get; init; }
}
