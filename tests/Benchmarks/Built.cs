namespace NicHost.Benchmarks;

/// <summary>Where the build that these benchmarks belong to has put things.</summary>
internal static class Built
{
    private static readonly string Root = FindRoot();
    private static readonly string Configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;

    /// <summary>The host's program.</summary>
    public static string Host => Path.Combine(Root, "artifacts", "bin", "Host", Configuration, "nichost.dll");

    /// <summary>The plugins that ship.</summary>
    public static string Plugins => Path.Combine(Root, "artifacts", "plugins", Configuration);

    /// <summary>Plugins for tests that serve NICs.</summary>
    public static string TestPlugins => Path.Combine(Root, "artifacts", "test-plugins", Configuration);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "NicHost.slnx"))) return folder.FullName;
        }
        throw new InvalidOperationException("NicHost.slnx is in no folder above the benchmarks.");
    }
}
