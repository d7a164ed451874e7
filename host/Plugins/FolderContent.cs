using System.Security.Cryptography;
using System.Text;

namespace NicHost.Host.Plugins;

/// <summary>What a plugin folder holds, as a hash of its files: two builds differ, two copies of one do not.</summary>
internal static class FolderContent
{
    /// <returns>Null when it cannot be read, for example because it is gone.</returns>
    public static string? Read(string folder)
    {
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var path in Files(folder))
            {
                hash.AppendData(Encoding.UTF8.GetBytes(Path.GetRelativePath(folder, path)));
                using var file = File.OpenRead(path);
                hash.AppendData(SHA256.HashData(file));
            }
            return Convert.ToHexString(hash.GetHashAndReset());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return null; }
    }

    // What is there for people and debuggers is not loaded. Of a plugin without a version folder, its versions are others' content.
    private static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(folder)
        .Concat(PluginFolder.Visible(folder).Where(path => PluginVersion.Parse(Path.GetFileName(path)) is null).SelectMany(path => Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)))
        .Where(path => !path.EndsWith(".pdb", StringComparison.Ordinal) && !path.EndsWith(".xml", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);
}
