namespace NicHost.Host.Plugins;

/// <summary>What became of a plugin folder.</summary>
internal enum PluginStatus
{
    /// <summary>Loaded; its kinds can be used.</summary>
    Active,

    /// <summary>Not loaded, or not used: the reason says why.</summary>
    Refused,

    /// <summary>Threw while it was loaded or asked for its factories.</summary>
    Faulted,
}
