using NicHost.Contracts.Endpoints;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>
/// Judges a plugin folder by what is in it, without loading anything. Most of what it finds would otherwise show as silence (a plugin that
/// is not there) or at the first packet.
/// </summary>
internal static class PluginPreflight
{
    public const string CopyAgain = "Copy it whole to a place beside, and rename it to here.";

    /// <summary>Checks a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="writers">Judges who may write there; null when that does not matter.</param>
    /// <returns>Its manifest, or why it is refused: all reasons, each with its remedy.</returns>
    public static (PluginManifest? Manifest, string? Refusal) Check(PluginFolder folder, WriteCheck? writers)
    {
        try
        {
            if (writers?.Folder(folder) is { } writable) return (null, writable);
            var files = new PluginFiles(folder);
            if (files.Damage.Count > 0) return (null, string.Join(" ", files.Damage));
            var main = files.Main!;
            string[] refusals =
            [
                .. SharedCheck.Run(files),
                .. FrameworkCheck.Run(files),
                .. ReferenceCheck.Run(files),
                .. NativeCheck.Run(files),
                .. ExportCheck.Run(main),
            ];
            return refusals.Length > 0 ? (null, string.Join(" ", refusals)) : (Manifest(files), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"It cannot be read: {e.Message} Let the host's user read it.");
        }
    }

    private static PluginManifest Manifest(PluginFiles files)
    {
        var main = files.Main!;
        var contracts = typeof(IEndpointFactory).Assembly.GetName().Name;
        return new PluginManifest
        {
            MainAssembly = files.MainPath!,
            Mvid = main.Mvid,
            // There is one, or there would be no kinds.
            Contracts = main.References.First(reference => reference.Name == contracts).Version,
            DeviceKinds = [.. main.Kinds.Where(k => k.IsDevice).Select(k => k.Kind).Order(StringComparer.Ordinal)],
            EndpointKinds = [.. main.Kinds.Where(k => !k.IsDevice).Select(k => k.Kind).Order(StringComparer.Ordinal)],
            Dependencies = [.. Reachable(files).Order(StringComparer.Ordinal)],
        };
    }

    private static HashSet<string> Reachable(PluginFiles files)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<AssemblyFile>([files.Main!]);
        while (open.TryPop(out var assembly))
        {
            foreach (var reference in assembly.References)
            {
                if (files.Find(reference.Name) is { } dependency && dependency != files.Main && reached.Add(dependency.Name)) open.Push(dependency);
            }
        }
        return reached;
    }
}
