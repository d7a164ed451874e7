using System.Text;
using NicHost.Host.Plugins;

namespace NicHost.Host.Tests.Plugins;

/// <summary>A plugin root for one test.</summary>
internal sealed class PluginRoot : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("nichost-plugins-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);

    /// <summary>Where the build puts a test plugin's output.</summary>
    public static string Output(string project) => Repository.File($"artifacts/bin/{project}/{Repository.Configuration}");

    /// <summary>The folder of a plugin that ships with the host.</summary>
    public static string Shipped(string name) => PluginFolder.Scan(PluginRoots.Default).First(folder => folder.Name == name).Path;

    /// <summary>Full path of <c>Name</c> or <c>Name/version</c>.</summary>
    public string At(string folder) => System.IO.Path.Combine(Path, folder);

    /// <summary>Puts a whole folder to its place at once, as an operator does: copied beside, then renamed.</summary>
    /// <returns>Its full path.</returns>
    public string Drop(string from, string to)
    {
        var target = At(to);
        var parent = System.IO.Path.GetDirectoryName(target)!;
        var staging = At($".staging-{Guid.NewGuid():n}");
        if (Directory.Exists(parent))
        {
            CopyTree(from, Directory.CreateDirectory(staging).FullName);
            Directory.Move(staging, target);
            return target;
        }
        CopyTree(from, Directory.CreateDirectory(System.IO.Path.Combine(staging, System.IO.Path.GetFileName(target))).FullName);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(parent)!);
        Directory.Move(staging, parent);
        return target;
    }

    /// <summary>Another build of a plugin: what it shows by one name, this one shows by another of the same length.</summary>
    /// <returns>Where it is put together, for <see cref="Drop"/>.</returns>
    public string Rebuild(string from, string assembly, string before, string after)
    {
        var folder = At($".build-{Guid.NewGuid():n}");
        CopyTree(from, Directory.CreateDirectory(folder).FullName);
        var path = System.IO.Path.Combine(folder, assembly);
        var bytes = File.ReadAllBytes(path);
        var at = bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(before));
        Assert.True(at > 0 && before.Length == after.Length);
        Encoding.Unicode.GetBytes(after).CopyTo(bytes, at);
        File.WriteAllBytes(path, bytes);
        return folder;
    }

    /// <summary>Puts another build into the place of one that is there, by two renames.</summary>
    public void Swap(string from, string to)
    {
        Directory.Move(At(to), At($".old-{Guid.NewGuid():n}"));
        Drop(from, to);
    }

    public void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var full = At(path);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, bytes.ToArray());
    }

    public void Remove(string folder) => Directory.Delete(At(folder), recursive: true);

    /// <summary>A text without what differs from run to run.</summary>
    public string Clean(string text) => text.Replace(Path, "ROOT", StringComparison.Ordinal).Replace(Repository.File("artifacts/bin"), "BIN", StringComparison.Ordinal)
        .Replace($"BIN/Host.Tests/{Repository.Configuration}", "HOST", StringComparison.Ordinal).Replace($"BIN/Host/{Repository.Configuration}", "HOST", StringComparison.Ordinal);

    public PluginCatalog Load(params string[] moreRoots) => PluginCatalog.Load([Path, .. moreRoots]);

    private static void CopyTree(string from, string to)
    {
        foreach (var folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories)) Directory.CreateDirectory(folder.Replace(from, to, StringComparison.Ordinal));
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            if (!file.EndsWith(".pdb", StringComparison.Ordinal) && !file.EndsWith(".xml", StringComparison.Ordinal)) File.Copy(file, file.Replace(from, to, StringComparison.Ordinal));
        }
    }
}
