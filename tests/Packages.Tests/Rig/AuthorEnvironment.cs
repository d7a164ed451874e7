namespace NicHost.Packages.Tests.Rig;

/// <summary>The variables that a plugin author's commands run with here.</summary>
internal static class AuthorEnvironment
{
    public static IReadOnlyDictionary<string, string> Quiet { get; } = new Dictionary<string, string>
    {
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["DOTNET_NOLOGO"] = "1",
        ["DOTNET_SKIP_FIRST_TIME_EXPERIENCE"] = "1",
        // A build must not leave processes behind.
        ["MSBUILDDISABLENODEREUSE"] = "1",
    };

    /// <summary>
    /// Packages go to a folder of this run; those of others are taken from where they are. The runtime folder, with the host's control
    /// socket, is this run's too.
    /// </summary>
    public static Dictionary<string, string> In(string home) => new(Quiet)
    {
        ["NUGET_PACKAGES"] = Path.Combine(home, "nuget"),
        ["RestoreFallbackFolders"] = GlobalPackages,
        ["XDG_RUNTIME_DIR"] = home,
        ["NICHOST"] = Path.Combine(home, "NicHost"),
    };

    private static string GlobalPackages =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages");
}
