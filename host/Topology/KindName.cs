using NicHost.Contracts.Options;

namespace NicHost.Host.Topology;

/// <summary>The word in <c>"kind"</c>: <c>virtio</c>, or with the version that is wanted <c>virtio@1.2.0</c>.</summary>
internal static class KindName
{
    /// <summary>The kind without its version.</summary>
    public static string Of(string kind) => kind.Split('@')[0];

    /// <summary>What to write instead of a kind that is not there.</summary>
    public static string Remedy(string kind, IReadOnlyList<string> known) =>
        OptionsBinding.Nearest(Of(kind), known) is { } near && near != kind ? $"Did you mean \"{near}\"?" : Known(known);

    public static string Known(IReadOnlyList<string> known) =>
        known.Count == 0 ? "No plugin brings one; see \"nichost plugins\"." : $"Known kinds: {string.Join(", ", known)}.";
}
