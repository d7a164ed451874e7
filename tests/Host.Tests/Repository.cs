namespace NicHost.Host.Tests;

/// <summary>The repository that the tests were built from.</summary>
internal static class Repository
{
    /// <summary>The build's configuration as the artifacts layout writes it: <c>debug</c>.</summary>
    public static string Configuration => Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'));

    public static string File(string path)
    {
        var folder = AppContext.BaseDirectory;
        while (!System.IO.File.Exists(Path.Combine(folder, "NicHost.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return Path.Combine(folder, path);
    }

    /// <summary>The topologies that the repository ships: files, and folders with files that are one topology.</summary>
    public static IEnumerable<string> Topologies() =>
        Directory.EnumerateFileSystemEntries(File("samples")).Where(path => Path.GetExtension(path) == ".json" || (Directory.Exists(path) && Directory.EnumerateFiles(path, "*.json").Any()))
            .Select(path => $"samples/{Path.GetFileName(path)}").Order(StringComparer.Ordinal).Prepend("plugins.json");

    /// <summary>The files of a topology that ships.</summary>
    public static IEnumerable<string> Files(string topology) => Directory.Exists(File(topology))
        ? Directory.EnumerateFiles(File(topology), "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        : [File(topology)];
}
