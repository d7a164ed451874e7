using NicHost.Contracts.Options;
using NicHost.Host.Plugins;

namespace NicHost.Host.Topology;

/// <summary>What to write for a kind that is not there.</summary>
internal static class KindName
{
    public static string Remedy(string kind, IReadOnlyList<string> known) =>
        OptionsBinding.Nearest(KindReference.Parse(kind).Kind, known) is { } near && near != kind ? $"Did you mean \"{near}\"?" : Known(known);

    /// <summary>Where the kind is there, but not in the version that was named.</summary>
    /// <param name="kind">The kind alone.</param>
    /// <param name="versions">Those that there are, the newest first.</param>
    public static string OtherVersion(string kind, IReadOnlyList<string> versions) => versions.Count == 0
        ? $"\"{kind}\" has no versions to choose from: write it alone."
        : $"Versions that are there: {string.Join(", ", versions)}. Name one of them, or write \"{kind}\" for the newest.";

    public static string Known(IReadOnlyList<string> known) =>
        known.Count == 0 ? "No plugin brings one; see \"nichost plugins\"." : $"Known kinds: {string.Join(", ", known)}.";
}
