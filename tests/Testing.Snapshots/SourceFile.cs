using System.Reflection;

namespace NicHost.Testing.Snapshots;

/// <summary>A test's source file on this machine.</summary>
internal static class SourceFile
{
    private const string FolderKey = "NicHost.Testing.Snapshots.Folder";

    /// <summary>
    /// The path as the compiler gave it; where that was mapped (<c>/_/tests/A/B.cs</c>), the file with the longest common end in the folder that
    /// the package's build logic noted.
    /// </summary>
    public static string Locate(string compiled, Assembly tests)
    {
        if (File.Exists(compiled)) return compiled;
        var project = tests.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(a => a.Key == FolderKey)?.Value;
        var parts = compiled.Split('/', '\\');
        for (var i = 0; project is not null && i < parts.Length; i++)
        {
            var path = Path.Combine([project, .. parts[i..]]);
            if (File.Exists(path)) return path;
        }
        throw new SnapshotException($"The test's source file {compiled} is not on this machine, and snapshots lie beside it. Run the tests where they were built.");
    }
}
