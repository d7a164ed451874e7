namespace NicHost.Host.Plugins.Preflight;

/// <summary>Assemblies that must not be in a plugin's folder, as both sides have to see the same types.</summary>
internal static class SharedCheck
{
    public static IEnumerable<string> Run(PluginFiles files)
    {
        foreach (var file in files.Libraries)
        {
            var name = Path.GetFileNameWithoutExtension(file);
            if (SharedAssemblies.Host.Owns(name))
                yield return $"{file} is in its folder, but the host shares its own. Reference it with ExcludeAssets=\"runtime\".";
            else if (SharedAssemblies.Host.IsBoundary(name))
                yield return $"{file} is in its folder, but it belongs to .NET, and the contracts are made of its types. Reference it with ExcludeAssets=\"runtime\", or build for the host's .NET.";
        }
    }
}
