using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Reflection;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>The assemblies of the .NET that this process runs on.</summary>
internal static class FrameworkAssemblies
{
    private static readonly FrozenDictionary<string, string> Paths = Find();
    private static readonly ConcurrentDictionary<string, Version> Versions = new(StringComparer.Ordinal);

    public static bool Has(string name) => Paths.ContainsKey(name);

    /// <summary>Null when .NET has no such assembly.</summary>
    public static Version? Version(string name) =>
        Paths.TryGetValue(name, out var path) ? Versions.GetOrAdd(name, static (_, path) => AssemblyName.GetAssemblyName(path).Version!, path) : null;

    private static FrozenDictionary<string, string> Find()
    {
        var folder = Path.GetDirectoryName(typeof(object).Assembly.Location);
        var trusted = ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "").Split(Path.PathSeparator);
        // The host's own assemblies are trusted, too, but they are not .NET's.
        return trusted.Where(path => Path.GetDirectoryName(path) == folder)
            .DistinctBy(path => Path.GetFileNameWithoutExtension(path), StringComparer.Ordinal)
            .ToFrozenDictionary(path => Path.GetFileNameWithoutExtension(path), StringComparer.Ordinal);
    }
}
