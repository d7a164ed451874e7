using IO = System.IO;

namespace NicHost.Host.Plugins;

/// <summary>A folder with one version of a plugin: <c>ROOT/Name/1.2.3/</c>, or <c>ROOT/Name/</c>, whose version is empty.</summary>
internal sealed record PluginFolder(string Name, string Version, string Path)
{
    /// <summary>The root that it was found in.</summary>
    public string Root => IO.Path.GetDirectoryName(Version.Length == 0 ? Path : IO.Path.GetDirectoryName(Path)!)!;

    /// <summary>Every version of every plugin in a root, by name, the highest version first. Folders whose name starts with a dot are passed over.</summary>
    public static IReadOnlyList<PluginFolder> Scan(string root) => [.. Visible(root).Order(StringComparer.Ordinal).SelectMany(Versions)];

    /// <summary>The plugin's own assembly, whether it exists or not: the one that a <c>.deps.json</c> stands for, else the one named for the folder.</summary>
    /// <returns>Null when there is none, or more than one.</returns>
    public string? MainAssembly()
    {
        var described = Directory.GetFiles(Path, "*.deps.json");
        if (described.Length == 1) return described[0][..^".deps.json".Length] + ".dll";
        return new[] { $"NicHost.{Name}.dll", $"{Name}.dll" }.Select(f => IO.Path.Combine(Path, f)).FirstOrDefault(File.Exists);
    }

    /// <summary>Highest version first, an unversioned one last.</summary>
    public static int CompareVersions(string a, string b)
    {
        var order = Comparer<PluginVersion?>.Default.Compare(PluginVersion.Parse(b), PluginVersion.Parse(a));
        return order != 0 ? order : string.CompareOrdinal(a, b);
    }

    /// <summary>The versions in <c>ROOT/Name</c>, highest first; loose files beside them are one more.</summary>
    public static IReadOnlyList<PluginFolder> Versions(string folder)
    {
        var name = IO.Path.GetFileName(folder);
        string[] versions = [.. Visible(folder).Select(path => IO.Path.GetFileName(path)!).Where(text => PluginVersion.Parse(text) is not null)];
        Array.Sort(versions, CompareVersions);
        var found = versions.Select(version => new PluginFolder(name, version, IO.Path.Combine(folder, version)));
        return versions.Length > 0 && !HasAssemblies(folder) ? [.. found] : [.. found, new PluginFolder(name, "", folder)];
    }

    /// <summary>Whether there is anything that could be loaded. A folder without may be a place for versions to come.</summary>
    public static bool HasAssemblies(string folder) => Entries(() => Directory.GetFiles(folder, "*.dll")).Length > 0;

    /// <summary>The folders in a folder whose name does not start with a dot.</summary>
    public static IEnumerable<string> Visible(string folder) =>
        Entries(() => Directory.GetDirectories(folder)).Where(path => !IO.Path.GetFileName(path.AsSpan()).StartsWith('.'));

    // Gone meanwhile, or not for us to read: the preflight of what is known of it tells.
    private static string[] Entries(Func<string[]> list)
    {
        try { return list(); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return []; }
    }
}
