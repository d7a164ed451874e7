namespace NicHost.Host.Plugins.Preflight;

/// <summary>The files of a plugin folder that matter on this machine.</summary>
internal sealed class PluginFiles
{
    private readonly Dictionary<string, AssemblyFile> _assemblies = new(StringComparer.Ordinal);
    private readonly List<string> _damage = [];
    private readonly List<string> _natives = [];

    public PluginFiles(PluginFolder folder)
    {
        Folder = folder.Path;
        MainPath = folder.MainAssembly();
        if (MainPath is null)
        {
            var manifests = Directory.GetFiles(folder.Path, "*.deps.json");
            _damage.Add(manifests.Length < 2
                ? $"No assembly: expected one .dll with its .deps.json, or NicHost.{folder.Name}.dll. Put the plugin's build output there."
                : $"Several plugins: {string.Join(", ", manifests.Select(Path.GetFileName).Order(StringComparer.Ordinal))}. Give each a folder of its own.");
            return;
        }
        ReadManifest();
        string[] libraries = [.. Directory.EnumerateFiles(folder.Path, "*.dll").Concat(Dependencies?.Assemblies ?? []).Order(StringComparer.Ordinal)];
        Libraries = [.. libraries.Where(path => path != MainPath).Select(path => Path.GetFileName(path))];
        foreach (var path in libraries.Where(path => path == MainPath || !SharedAssemblies.Host.Owns(Path.GetFileNameWithoutExtension(path)))) ReadAssembly(path);
        FindNatives();
        Main = _assemblies.Values.FirstOrDefault(assembly => assembly.File == Path.GetFileName(MainPath));
        if (Main is null && _damage.Count == 0)
            _damage.Add($"{Path.GetFileName(MainPath)} is {(File.Exists(MainPath) ? "no .NET assembly" : "not there")}. Put the plugin's build output there.");
    }

    public string Folder { get; }

    public string? MainPath { get; }

    /// <summary>The plugin's own assembly; null only when there is damage.</summary>
    public AssemblyFile? Main { get; }

    public DependencyManifest? Dependencies { get; private set; }

    /// <summary>Files that are missing, half there, or not what they should be.</summary>
    public IReadOnlyList<string> Damage => _damage;

    /// <summary>Names of all <c>.dll</c> files but the plugin's own.</summary>
    public IReadOnlyList<string> Libraries { get; } = [];

    /// <summary>Those that are .NET assemblies, without what the host shares: nobody would read that.</summary>
    public IEnumerable<AssemblyFile> Assemblies => _assemblies.Values.OrderBy(assembly => assembly.File, StringComparer.Ordinal);

    /// <summary>Paths of native libraries, Windows' own among them when they lie where this machine would look.</summary>
    public IReadOnlyList<string> Natives => _natives;

    public AssemblyFile? Find(string name) => _assemblies.GetValueOrDefault(name);

    private void ReadManifest()
    {
        var path = Path.ChangeExtension(MainPath!, ".deps.json");
        if (!File.Exists(path)) return;
        Dependencies = DependencyManifest.Read(path);
        var name = Path.GetFileName(path);
        if (Dependencies is null) _damage.Add($"{name} cannot be read as such a file: it may be cut off. {PluginPreflight.CopyAgain}");
        else if (Dependencies.Missing.Distinct().Order(StringComparer.Ordinal).ToArray() is { Length: > 0 } missing)
            _damage.Add($"{name} lists {string.Join(", ", missing)}, which {(missing.Length == 1 ? "is" : "are")} not there: the folder is half-copied. {PluginPreflight.CopyAgain}");
    }

    private void ReadAssembly(string path)
    {
        var assembly = AssemblyFile.Read(path, path == MainPath, out var damage);
        if (damage is not null) _damage.Add($"{damage} {PluginPreflight.CopyAgain}");
        else if (assembly is not null) _assemblies.TryAdd(assembly.Name, assembly);
        else if (path != MainPath) _natives.Add(path);
    }

    private void FindNatives()
    {
        _natives.AddRange(Directory.EnumerateFiles(Folder).Where(path => Path.GetFileName(path) is var name && (name.EndsWith(".so", StringComparison.Ordinal) || name.Contains(".so.", StringComparison.Ordinal))));
        var runtimes = Path.Combine(Folder, "runtimes");
        if (Directory.Exists(runtimes))
        {
            _natives.AddRange(Directory.EnumerateDirectories(runtimes).Where(path => RuntimeIds.Fits(Path.GetFileName(path)))
                .Select(path => Path.Combine(path, "native")).Where(Directory.Exists).SelectMany(Directory.EnumerateFiles));
        }
        _natives.AddRange(Dependencies?.Natives ?? []);
        string[] unique = [.. _natives.Distinct().Order(StringComparer.Ordinal)];
        _natives.Clear();
        _natives.AddRange(unique);
    }
}
