namespace NicHost.Host.Plugins;

/// <summary>A folder with one plugin: <c>ROOT/Name/1.2.3/</c>, the highest version of each name, or <c>ROOT/Name/</c>.</summary>
internal sealed record PluginFolder(string Name, string Version, string Path)
{
    public static IReadOnlyList<PluginFolder> Scan(string root)
    {
        if (!Directory.Exists(root)) return [];
        return [.. Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal).Select(Newest)];
    }

    /// <summary>The plugin's own assembly: the one that a <c>.deps.json</c> stands beside, else the one named for the folder.</summary>
    /// <returns>Null when there is none, or more than one.</returns>
    public string? MainAssembly()
    {
        var described = Directory.EnumerateFiles(Path, "*.deps.json").Select(f => f[..^".deps.json".Length] + ".dll").Where(File.Exists).ToArray();
        if (described.Length == 1) return described[0];
        return new[] { $"NicHost.{Name}.dll", $"{Name}.dll" }.Select(f => System.IO.Path.Combine(Path, f)).FirstOrDefault(File.Exists);
    }

    private static PluginFolder Newest(string folder)
    {
        var name = System.IO.Path.GetFileName(folder);
        var newest = Directory.EnumerateDirectories(folder).Select(path => PluginVersion.Parse(System.IO.Path.GetFileName(path))).Max();
        return newest is null ? new PluginFolder(name, "", folder) : new PluginFolder(name, newest.Text, System.IO.Path.Combine(folder, newest.Text));
    }

    /// <summary><c>1.2.3</c> or <c>1.2.3-beta.1</c>, ordered as such; a release is above its previews.</summary>
    private sealed record PluginVersion(string Text, System.Version Number, string Preview) : IComparable<PluginVersion>
    {
        public static PluginVersion? Parse(string text)
        {
            var dash = text.IndexOf('-', StringComparison.Ordinal);
            var number = dash < 0 ? text : text[..dash];
            return System.Version.TryParse(number, out var version) ? new PluginVersion(text, version, dash < 0 ? "" : text[(dash + 1)..]) : null;
        }

        public int CompareTo(PluginVersion? other)
        {
            if (other is null) return 1;
            if (Number.CompareTo(other.Number) is not 0 and var byNumber) return byNumber;
            if (Preview.Length == 0 || other.Preview.Length == 0) return other.Preview.Length - Preview.Length;
            return string.CompareOrdinal(Preview, other.Preview);
        }
    }
}
