namespace NicHost.Host.Topology;

/// <summary>A path in a topology file, and the folder of that file.</summary>
internal readonly record struct WrittenPath(string Text, string Folder)
{
    public string Full => Path.TrimEndingDirectorySeparator(Path.GetFullPath(Text, Folder));

    /// <summary>The same path for a file in another folder: an absolute one stays so, a relative one becomes relative to there.</summary>
    public string From(string folder) => Path.IsPathRooted(Text) ? Full : Path.GetRelativePath(folder, Full);
}
