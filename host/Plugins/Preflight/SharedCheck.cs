namespace NicHost.Host.Plugins.Preflight;

/// <summary>Assemblies that must not be in a plugin's folder, as both sides have to see the same types.</summary>
internal static class SharedCheck
{
    public static IEnumerable<string> Run(PluginFiles files)
    {
        string[] shared = [.. files.Libraries.Where(file => SharedAssemblies.Host.Owns(Path.GetFileNameWithoutExtension(file)))];
        if (shared.Length > 0)
            yield return $"{string.Join(", ", shared)} {(shared.Length == 1 ? "is" : "are")} in its folder, but the host shares its own. Reference {(shared.Length == 1 ? "it" : "them")} with ExcludeAssets=\"runtime\".";
        foreach (var file in files.Libraries.Where(file => SharedAssemblies.Host.IsBoundary(Path.GetFileNameWithoutExtension(file))))
            yield return $"{file} is in its folder, but it belongs to .NET, and the contracts are made of its types. Reference it with ExcludeAssets=\"runtime\", or build for the host's .NET.";
    }
}
