using System.Runtime.InteropServices;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>Which <c>runtimes/RID</c> folders are for this machine.</summary>
internal static class RuntimeIds
{
    private static readonly string Architecture = MachineType.Name(RuntimeInformation.ProcessArchitecture);

    /// <summary>Whether this process runs on musl instead of glibc.</summary>
    public static bool IsMusl { get; } = RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal);

    /// <summary>The most exact one.</summary>
    public static string Here { get; } = IsMusl ? $"linux-musl-{Architecture}" : $"linux-{Architecture}";

    /// <summary>All that fit, the most exact first; from .NET's portable graph. Musl falls back to what is built for Linux at large.</summary>
    public static IReadOnlyList<string> Fitting { get; } =
        [.. IsMusl ? [Here, "linux-musl"] : Array.Empty<string>(), $"linux-{Architecture}", "linux", $"unix-{Architecture}", "unix", "any"];

    public static bool Fits(string rid) => Fitting.Contains(rid);
}
