using System.Runtime.CompilerServices;

namespace NicHost.Dio.Tests.Rig;

/// <summary>Records of these tests lie in a folder of their own.</summary>
internal static class OwnState
{
    public static string Folder { get; } = Directory.CreateTempSubdirectory("nichost-dio-tests-").FullName;

#pragma warning disable CA2255 // before any test asks where records lie
    [ModuleInitializer]
    public static void Set()
    {
        Environment.SetEnvironmentVariable("RUNTIME_DIRECTORY", Folder);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Folder, recursive: true);
    }
#pragma warning restore CA2255

    /// <summary>For tests that run as another user.</summary>
    public static void OpenToAll()
    {
        if (OperatingSystem.IsWindows()) return;
        var runs = Directory.CreateDirectory(Path.Combine(Folder, "dio")).FullName;
        foreach (var folder in new[] { Folder, runs, Directory.CreateDirectory(Path.Combine(Folder, "dio-prepared")).FullName }) File.SetUnixFileMode(folder, (UnixFileMode)0x1ff);
    }

    public static string[] Records => Directory.Exists(Path.Combine(Folder, "dio")) ? Directory.GetFiles(Path.Combine(Folder, "dio")) : [];
}
