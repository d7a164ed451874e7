using System.Text.Json;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>What a <c>.deps.json</c> says should be in the folder, for this machine.</summary>
internal sealed class DependencyManifest
{
    private readonly List<string> _missing = [];
    private readonly List<string> _assemblies = [];
    private readonly List<string> _natives = [];
    private readonly List<(string Library, string[] Rids)> _foreign = [];
    private readonly string _folder;

    private DependencyManifest(string folder) => _folder = folder;

    /// <summary>Listed for this machine, and not there.</summary>
    public IReadOnlyList<string> Missing => _missing;

    /// <summary>Paths of assemblies below <c>runtimes/</c> that this machine takes.</summary>
    public IReadOnlyList<string> Assemblies => _assemblies;

    /// <summary>Paths of native libraries that this machine takes.</summary>
    public IReadOnlyList<string> Natives => _natives;

    /// <summary>Packages with native libraries, none of them for this machine.</summary>
    public IReadOnlyList<(string Library, string[] Rids)> Foreign => _foreign;

    /// <summary>Reads it.</summary>
    /// <returns>Null when it is not what it should be: half a file, for example.</returns>
    public static DependencyManifest? Read(string path)
    {
        var manifest = new DependencyManifest(Path.GetDirectoryName(path)!);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = document.RootElement;
            if (!root.GetProperty("targets").TryGetProperty(root.GetProperty("runtimeTarget").GetProperty("name").GetString()!, out var target)) return null;
            foreach (var library in target.EnumerateObject()) manifest.Add(library.Name, library.Value);
            return manifest;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }

    private void Add(string library, JsonElement assets)
    {
        foreach (var path in Members(assets, "runtime")) Expect(path.Name, Path.GetFileName(path.Name));
        foreach (var path in Members(assets, "resources"))
            Expect(path.Name, path.Value.TryGetProperty("locale", out var locale) ? Path.Combine(locale.GetString()!, Path.GetFileName(path.Name)) : path.Name);
        foreach (var path in Members(assets, "native"))
        {
            if (Expect(path.Name, Path.GetFileName(path.Name)) is { } there) _natives.Add(there);
        }
        var natives = new List<string>();
        foreach (var path in Members(assets, "runtimeTargets"))
        {
            var rid = path.Value.GetProperty("rid").GetString()!;
            var isNative = path.Value.GetProperty("assetType").GetString() == "native";
            if (isNative) natives.Add(rid);
            // Files for other machines may be left out of a folder.
            if (!RuntimeIds.Fits(rid) || Expect(path.Name, path.Name) is not { } there) continue;
            (isNative ? _natives : _assemblies).Add(there);
        }
        if (natives.Count > 0 && !natives.Any(RuntimeIds.Fits)) _foreign.Add((library, [.. natives.Distinct().Order(StringComparer.Ordinal)]));
    }

    // The host of .NET takes most files from the folder itself, wherever their package had them.
    private string? Expect(string listed, string usual)
    {
        if (Path.GetFileName(listed) == "_._") return null;
        if (new[] { usual, listed }.Select(path => Path.Combine(_folder, path)).FirstOrDefault(File.Exists) is { } there) return there;
        _missing.Add(usual);
        return null;
    }

    private static IEnumerable<JsonProperty> Members(JsonElement assets, string name) =>
        assets.TryGetProperty(name, out var files) ? files.EnumerateObject() : [];
}
