using System.Text.RegularExpressions;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>Whether a plugin brings kinds, and such as a topology can name.</summary>
internal static partial class ExportCheck
{
    public static IEnumerable<string> Run(AssemblyFile main)
    {
        foreach (var type in main.Strangers.Distinct())
            yield return $"{type} is exported for System.ComponentModel.Composition, which this host does not read. Mark the factory with [DeviceKind] or [EndpointKind] alone.";
        if (main.Kinds.Count == 0 && main.Strangers.Count == 0)
            yield return "It exports no kind. Mark a factory with [DeviceKind] or [EndpointKind] of the host's NicHost.Contracts.";
        foreach (var export in main.Kinds.Where(export => !Kind().IsMatch(export.Kind)))
            yield return $"\"{export.Kind}\" of {export.Type} is no kind. Use lower case letters, digits and dashes.";
        foreach (var same in main.Kinds.GroupBy(export => (export.IsDevice, export.Kind)).Where(same => same.Count() > 1))
            yield return $"{string.Join(" and ", same.Select(export => export.Type))} have the same {(same.Key.IsDevice ? "device" : "endpoint")} kind \"{same.Key.Kind}\". Give each its own.";
    }

    [GeneratedRegex("^[a-z0-9-]{1,64}$")]
    private static partial Regex Kind();
}
