namespace NicHost.Contracts.Options;

/// <summary>Paths without symbolic links.</summary>
internal static class LinkedPath
{
    // What the kernel follows before it says ELOOP.
    private const int MaxLinks = 40;

    /// <summary>
    /// <paramref name="path"/>, a full path, with each link that is there followed; what is not there stays as it is written. A path whose
    /// links cannot be followed comes back as it was.
    /// </summary>
    public static string Resolve(string path)
    {
        var resolved = Path.GetFullPath(path);
        for (var links = 0; links < MaxLinks; links++)
        {
            if (FirstLink(resolved) is not { } link) return resolved;
            resolved = Path.GetFullPath(Path.Combine(link.Target, link.Tail), link.Folder);
        }
        return path;
    }

    private static (string Folder, string Target, string Tail)? FirstLink(string path)
    {
        var root = Path.GetPathRoot(path)!;
        for (var end = root.Length; end < path.Length; end++)
        {
            end = path.IndexOf(Path.DirectorySeparatorChar, end);
            if (end < 0) end = path.Length;
            var part = path[..end];
            if (LinkTarget(part) is { } target) return (Path.GetDirectoryName(part)!, target, path[Math.Min(end + 1, path.Length)..]);
        }
        return null;
    }

    private static string? LinkTarget(string path)
    {
        try { return new FileInfo(path).LinkTarget; }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return null; }
    }
}
