using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using NicHost.Host.Plugins.Preflight;

namespace NicHost.Host.Plugins;

/// <summary>
/// Native libraries that no <c>.deps.json</c> lists: beside the plugin's assembly, or in <c>runtimes/RID/native</c> of a machine that fits.
/// </summary>
internal sealed class NativeFolders
{
    private readonly string[] _folders;

    private NativeFolders(string folder) =>
        _folders = [folder, .. RuntimeIds.Fitting.Select(rid => Path.Combine(folder, "runtimes", rid, "native")).Where(Directory.Exists)];

    /// <summary>Has a plugin's load context look there after it has found nothing else.</summary>
    public static void AddTo(AssemblyLoadContext plugin, string folder) => plugin.ResolvingUnmanagedDll += new NativeFolders(folder).Find;

    private nint Find(Assembly asking, string name)
    {
        string[] names = [name, $"{name}.so", $"lib{name}", $"lib{name}.so"];
        var path = _folders.SelectMany(folder => names.Select(file => Path.Combine(folder, file))).FirstOrDefault(File.Exists);
        return path is null ? 0 : NativeLibrary.Load(path);
    }
}
