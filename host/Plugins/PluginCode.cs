namespace NicHost.Host.Plugins;

/// <summary>Whether a plugin's code is in the process. Of those that cannot be unloaded only the first two.</summary>
internal enum PluginCode
{
    /// <summary>Nobody has asked for one of its kinds so far.</summary>
    NotLoaded,

    /// <summary>It is in the process.</summary>
    Loaded,

    /// <summary>The host has given it up; it goes when nothing holds on to it any more.</summary>
    Unloading,

    /// <summary>It was in the process and is not any more; it is loaded again when somebody asks for it.</summary>
    Unloaded,

    /// <summary>Given up long ago and still there: something of its own holds on to it.</summary>
    Leaked,
}
