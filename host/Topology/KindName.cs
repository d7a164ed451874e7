using NicHost.Contracts.Options;
using NicHost.Host.Plugins;

namespace NicHost.Host.Topology;

/// <summary>What to write for a kind that is not there.</summary>
internal static class KindName
{
    public static string Remedy(string kind, IReadOnlyList<string> known) =>
        OptionsBinding.Nearest(KindReference.Parse(kind).Kind, known) is { } near && near != kind ? $"Did you mean \"{near}\"?" : Known(known);

    public static string Known(IReadOnlyList<string> known) =>
        known.Count == 0 ? "No plugin brings one; see \"nichost plugins\"." : $"Known kinds: {string.Join(", ", known)}.";
}
