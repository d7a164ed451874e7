namespace NicHost.Host.Plugins.Preflight;

/// <summary>Whether everything that the folder's assemblies refer to is there, in a version that fits.</summary>
internal static class ReferenceCheck
{
    public static IEnumerable<string> Run(PluginFiles files)
    {
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (assembly, reference) in References(files))
        {
            var who = assembly == files.Main ? "It" : assembly.File;
            if (Fault(files, who, reference) is { } fault && told.Add(fault)) yield return fault;
        }
        var missing = References(files).Where(r => IsMissing(files, r.Reference)).Select(r => r.Reference.Name).Distinct().Order(StringComparer.Ordinal).ToArray();
        if (missing.Length == 0) yield break;
        var by = References(files).Where(r => missing.Contains(r.Reference.Name)).Select(r => r.Assembly.File).Distinct().Order(StringComparer.Ordinal);
        yield return $"{string.Join(", ", missing.Select(name => name + ".dll"))} {(missing.Length == 1 ? "is" : "are")} missing, wanted by {string.Join(", ", by)}. "
            + "Put the plugin's whole build output there; <EnableDynamicLoading>true</EnableDynamicLoading> in its project adds the dependencies.";
    }

    private static string? Fault(PluginFiles files, string who, AssemblyIdentity reference)
    {
        var wanted = reference.Version;
        if (SharedAssemblies.Host.Find(reference.Name) is { } shared)
        {
            if (SharedAssemblies.Fits(wanted, shared)) return null;
            return wanted.Major == shared.Major
                ? $"{who} was built against {reference.Name} {Short(wanted)}, this host has {Short(shared)}. Build it against {Short(shared)} or older, or take a newer host."
                : $"{who} was built against {reference.Name} {Short(wanted)}, this host has {Short(shared)}, another major version. Build it against {shared.Major}.x.";
        }
        if (files.Find(reference.Name) is { } own)
        {
            return own.Identity.Version >= wanted ? null
                : $"{who} was built against {reference.Name} {wanted}, but {own.File} in its folder is {own.Identity.Version}. Put the plugin's whole build output there.";
        }
        // Without a framework of its own a plugin is told by the framework check already.
        return FrameworkAssemblies.Version(reference.Name) is { } framework && framework < wanted
            ? $"{who} was built against {reference.Name} {Short(wanted)}, this host's .NET has {Short(framework)}. Build it for net{Environment.Version.Major}.{Environment.Version.Minor}."
            : null;
    }

    private static bool IsMissing(PluginFiles files, AssemblyIdentity reference) =>
        SharedAssemblies.Host.Find(reference.Name) is null && files.Find(reference.Name) is null && !FrameworkAssemblies.Has(reference.Name);

    private static IEnumerable<(AssemblyFile Assembly, AssemblyIdentity Reference)> References(PluginFiles files) =>
        files.Assemblies.SelectMany(assembly => assembly.References.Select(reference => (assembly, reference)));

    private static string Short(Version version) => version.ToString(2);
}
