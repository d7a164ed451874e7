using NicHost.Host.Plugins;

namespace NicHost.Host.Topology;

/// <summary>All files of a topology, read at one time.</summary>
internal sealed class TopologyFiles
{
    private readonly IReadOnlyList<TopologyFault> _faults;
    private readonly bool _hasFolder;

    /// <param name="files">In order.</param>
    /// <param name="faults">What is wrong with the list of files itself.</param>
    /// <param name="hasFolder">Whether files may come later: then none need be there now.</param>
    public TopologyFiles(IReadOnlyList<TopologyFile> files, IReadOnlyList<TopologyFault> faults, bool hasFolder)
    {
        _faults = faults;
        _hasFolder = hasFolder;
        Levels = [.. files.Select(file => new FileLevel(file, LevelReader.Read(new Layered(new Place(file, "$"), file.Root), TopologyJson.Default.TopologyConfig)))];
        Settings = SettingsReader.Read(Levels);
        PluginRoots = ReadRoots();
    }

    /// <summary>Each file with the members of its top level that have their type.</summary>
    public IReadOnlyList<FileLevel> Levels { get; }

    public HostSettings Settings { get; }

    /// <summary>Full paths, in the order of the files, each once.</summary>
    public IReadOnlyList<string> PluginRoots { get; }

    /// <summary>Checks everything against the kinds that there are.</summary>
    /// <exception cref="TopologyException">Something is wrong; the exception lists everything.</exception>
    public TopologyModel Read(IKindSource kinds)
    {
        if (Levels.Count > 0 && !_hasFolder && Levels.All(level => !level.File.Has("$.vms")))
            Levels[0].File.Add("$", "\"vms\" is missing.", "Add \"vms\", here or in a file that this one includes.");
        var vms = TopologyReader.Read(Levels, kinds, Settings);
        TopologyFault[] faults = [.. _faults, .. Levels.SelectMany(level => level.File.Faults)];
        if (faults.Any(fault => !fault.IsPlugins)) throw new TopologyException(faults);
        return new TopologyModel([.. Levels.Select(level => level.File.Name)], Settings, vms) { Warnings = faults };
    }

    private List<string> ReadRoots()
    {
        var roots = new List<string>();
        foreach (var (text, place) in Levels.SelectMany(level => FileCollector.Texts(level.File, "plugins")))
        {
            if (text.Length == 0 || text.Contains('\0', StringComparison.Ordinal)) place.Add("This is not a path.", "Write a folder, relative to this file.");
            else if (Path.GetFullPath(text, place.File.BaseDirectory) is var root && !roots.Contains(root)) roots.Add(root);
        }
        return roots;
    }
}

/// <summary>The top level of a file.</summary>
/// <param name="File">The file.</param>
/// <param name="Members">Those that have their type.</param>
internal sealed record FileLevel(TopologyFile File, IReadOnlyDictionary<string, Layered> Members);
