namespace NicHost.Host.Plugins;

/// <summary>Where plugins are looked for.</summary>
internal static class PluginRoots
{
    /// <summary>The root that ships with the host: <c>plugins/</c> beside it, or the build's <c>artifacts/plugins/CONFIGURATION</c>.</summary>
    public static string Default
    {
        get
        {
            var home = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
            var beside = Path.Combine(home, "plugins");
            if (Directory.Exists(beside)) return beside;
            // artifacts/bin/PROJECT/CONFIGURATION
            return Path.GetFullPath(Path.Combine(home, "../../../plugins", Path.GetFileName(home)));
        }
    }

    /// <summary>The roots of the command line, then those of the topology; without any, the default.</summary>
    public static IReadOnlyList<string> Resolve(IEnumerable<string> commandLine, IEnumerable<string> topology, string topologyFolder)
    {
        var roots = commandLine.Select(Path.GetFullPath).Concat(topology.Select(root => Path.GetFullPath(root, topologyFolder)))
            .Select(Path.TrimEndingDirectorySeparator).Distinct(StringComparer.Ordinal).ToArray();
        return roots.Length > 0 ? roots : [Default];
    }
}
