using System.Text.Json;
using NicHost.Contracts.Options;

namespace NicHost.Host.Topology;

/// <summary>Finds and reads all files of a topology: those of a list, those of its folders, and what these include, each once.</summary>
internal sealed class FileCollector(IFileStore store, Variables variables)
{
    private const int MaxFiles = 10_000;
    private const int MaxDepth = 32;

    private readonly Dictionary<string, string> _known = new(StringComparer.Ordinal);
    private readonly Stack<string> _open = new();
    private readonly SortedSet<string> _paths = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _folders = new(StringComparer.Ordinal);
    private readonly List<TopologyFile> _files = [];
    private readonly List<TopologyFault> _faults = [];

    /// <summary>The files that are JSON, each before what it includes.</summary>
    public IReadOnlyList<TopologyFile> Files => _files;

    /// <summary>What is wrong with the list itself, and files that are not JSON.</summary>
    public IReadOnlyList<TopologyFault> Faults => _faults;

    /// <summary>The folder of the first file, or the first folder.</summary>
    public string BaseDirectory { get; private set; } = "";

    /// <summary>Full paths of all files that were read or looked for.</summary>
    public IReadOnlyCollection<string> Paths => _paths;

    /// <summary>Full paths of all folders that were looked through.</summary>
    public IReadOnlyCollection<string> Folders => _folders;

    /// <summary>Adds a file or a folder of the command line.</summary>
    public void Add(string name)
    {
        void Fault(string message, string remedy) => _faults.Add(new TopologyFault(name, 1, 1, "$", message, remedy));
        if (!HostPaths.IsPath(name))
        {
            Fault("This is not a path.", "Name a topology file or a folder of them, such as plugins.json.");
            return;
        }
        var path = FullPath(name, Directory.GetCurrentDirectory());
        if (BaseDirectory.Length == 0) BaseDirectory = store.IsFolder(path) ? path : Path.GetDirectoryName(path)!;
        Add(name, path, Fault);
    }

    private static string FullPath(string path, string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path, folder));

    private void Add(string name, string path, Action<string, string> fault)
    {
        if (!store.IsFolder(path))
        {
            AddFile(name, path, fault, fromFolder: false);
            return;
        }
        _folders.Add(path);
        try
        {
            foreach (var file in store.List(path)) AddFile(Path.Combine(name, file), Path.Combine(path, file), fault, fromFolder: true);
        }
        catch (IOException e) { fault(e.Message, "Name a readable folder."); }
    }

    private void AddFile(string name, string path, Action<string, string> fault, bool fromFolder)
    {
        var identity = store.Identity(path);
        if (_open.Contains(identity))
        {
            // A file that includes the folder that it is in means the others.
            if (!fromFolder || _open.Peek() != identity) fault($"{name} includes this file: that goes round in a circle.", "Remove one of the includes.");
            return;
        }
        if (!_known.TryAdd(identity, name)) return;
        if (_known.Count > MaxFiles || _open.Count == MaxDepth)
        {
            fault($"{name} is one file too many.", $"Use at most {MaxFiles} files, includes at most {MaxDepth} deep.");
            return;
        }
        _paths.Add(path);
        if (Read(name, path, fault) is not { } file) return;
        _files.Add(file);
        _open.Push(identity);
        foreach (var (include, place) in Texts(file, "include"))
        {
            if (HostPaths.IsPath(include)) Add(Path.Combine(Path.GetDirectoryName(name) ?? "", include), FullPath(include, file.BaseDirectory), (what, remedy) => place.Add(what, remedy));
        }
        _open.Pop();
    }

    private TopologyFile? Read(string name, string path, Action<string, string> fault)
    {
        try { return TopologyFile.Parse(name, path, store.Read(path), variables); }
        catch (IOException e) { fault($"{name} cannot be read: {e.Message}", _open.Count > 0 ? "Paths are relative to this file." : "Name a readable topology file, such as plugins.json."); }
        catch (TopologyException e) { _faults.AddRange(e.Faults); }
        return null;
    }

    /// <summary>The texts of a list at the top level; the reader tells about items that are none.</summary>
    public static IEnumerable<(string Text, Place Place)> Texts(TopologyFile file, string member)
    {
        if (file.Root.ValueKind != JsonValueKind.Object || !file.Root.TryGetProperty(member, out var list) || list.ValueKind != JsonValueKind.Array) yield break;
        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            var place = new Place(file, JsonPath.Item($"$.{member}", index++));
            if (item.ValueKind == JsonValueKind.String && file.IsSound(place.Path)) yield return (item.GetString()!, place);
        }
    }
}
