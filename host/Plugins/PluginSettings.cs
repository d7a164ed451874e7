namespace NicHost.Host.Plugins;

/// <summary>Where plugins come from and how they are taken.</summary>
/// <param name="Roots">Full paths, in the order that decides who has a kind.</param>
internal sealed record PluginSettings(IReadOnlyList<string> Roots)
{
    /// <summary>Whether roots that somebody else may write are taken.</summary>
    public bool AllowWritable { get; init; }

    /// <summary>
    /// Whether load contexts can be unloaded, for those who develop a plugin: calls into such a plugin are two to seven times slower, as
    /// the runtime neither tiers nor profiles its code.
    /// </summary>
    public bool Unloadable { get; init; }

    /// <summary>How long one plugin may take to be loaded and to make its factories.</summary>
    public TimeSpan LoadLimit { get; init; } = TimeSpan.FromSeconds(30);
}
