using System.Runtime.Versioning;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>What .NET, which system and which machine the assemblies are built for.</summary>
internal static class FrameworkCheck
{
    private const string Core = ".NETCoreApp";
    private static readonly Version Here = new(Environment.Version.Major, Environment.Version.Minor);

    public static IEnumerable<string> Run(PluginFiles files)
    {
        var main = files.Main!;
        var remedy = $"Build it for net{Here}.";
        if (Parse(main.Framework) is { } built)
        {
            // Only the plugin's own: libraries may be built for .NET Standard, and for what is compatible.
            if (built.Identifier != Core) yield return $"It is built for {built.Identifier} {built.Version}. {remedy}";
            else if (built.Version > Here) yield return $"It is built for .NET {built.Version}, this host runs on .NET {Here}. {remedy}";
        }
        if (main.Platform is { } platform && !platform.StartsWith("Linux", StringComparison.OrdinalIgnoreCase))
            yield return $"It is built for {platform.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.')}. {remedy}";
        foreach (var misfit in files.Assemblies.Select(assembly => assembly.Misfit).OfType<string>()) yield return misfit;
    }

    private static FrameworkName? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        try { return new FrameworkName(text); }
        catch (ArgumentException) { return null; }
    }
}
