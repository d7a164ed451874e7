namespace NicHost.Host.Plugins;

/// <summary>What became of a plugin folder.</summary>
internal enum PluginStatus
{
    /// <summary>Loaded; its kinds are those that a topology gets.</summary>
    Active,

    /// <summary>Another version of the plugin has its kinds; it is there for who names it, and for VMs that use it already.</summary>
    Superseded,

    /// <summary>It is what it was when it was loaded, but its folder holds another build by now.</summary>
    Replaced,

    /// <summary>Its folder is gone, but VMs still use what was loaded from it.</summary>
    Removed,

    /// <summary>Not loaded, or not used: the reason says why and what to do.</summary>
    Refused,

    /// <summary>Threw while it was loaded or asked for its factories.</summary>
    Faulted,
}
