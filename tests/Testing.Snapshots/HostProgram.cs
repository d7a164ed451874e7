namespace NicHost.Testing.Snapshots;

/// <summary>Where the host is.</summary>
internal static class HostProgram
{
    public const string Remedy = "Set NICHOST to nichost, nichost.dll or a folder with one of them, or give SnapshotOptions.Host.";

    private const string Installed = "/usr/lib/nichost";

    /// <returns>The program and its first arguments.</returns>
    /// <param name="named">What the options name; null when they do not.</param>
    /// <param name="folder">Where relative paths begin.</param>
    /// <exception cref="SnapshotException">There is none.</exception>
    public static string[] Find(string? named, string folder)
    {
        if (named is not null) return At(Path.GetFullPath(named, folder)) ?? throw new SnapshotException($"There is no host at {named} (SnapshotOptions.Host). {Remedy}");
        if (Environment.GetEnvironmentVariable("NICHOST") is { Length: > 0 } variable)
            return At(Path.GetFullPath(variable)) ?? throw new SnapshotException($"There is no host at {variable} (NICHOST). {Remedy}");
        return OnPath() ?? At(Installed) ?? throw new SnapshotException($"There is no nichost in PATH and none in {Installed}. {Remedy}");
    }

    private static string[]? At(string path)
    {
        if (Directory.Exists(path)) return InFolder(path);
        return File.Exists(path) ? Command(path) : null;
    }

    // A checkout has a script, which builds when it must; a published host has a program or a library of that name.
    private static string[]? InFolder(string folder) =>
        new[] { "nichost", "nichost.exe", "nichost.dll" }.Select(name => Path.Combine(folder, name)).Where(File.Exists).Select(Command).FirstOrDefault();

    private static string[]? OnPath() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(InFolder).FirstOrDefault(found => found is not null);

    private static string[] Command(string path) => Path.GetExtension(path) == ".dll" ? ["dotnet", path] : [path];
}
