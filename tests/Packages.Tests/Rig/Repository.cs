namespace NicHost.Packages.Tests.Rig;

/// <summary>The repository that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>The build's configuration as MSBuild writes it: <c>Debug</c>.</summary>
    public static string Configuration { get; } = Folder == "debug" ? "Debug" : "Release";

    /// <summary>A folder of the build's output: <c>artifacts/KIND/PROJECT/CONFIGURATION</c>, as <c>bin</c> and <c>plugins</c> have it.</summary>
    public static string Output(string kind, string project = "") => Path.Combine(Root, "artifacts", kind, project, Folder);

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    private static string Folder => Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'));

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "NicHost.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
