using NicHost.Host.Plugins;

namespace NicHost.Host.Topology;

/// <summary>All files of a topology, read at one time.</summary>
internal sealed class TopologyFiles
{
    private readonly IReadOnlyList<TopologyFault> _faults;
    private readonly string _baseDirectory;
    private readonly bool _hasFolder;

    /// <param name="files">In order.</param>
    /// <param name="faults">What is wrong with the list of files itself.</param>
    /// <param name="baseDirectory">The folder of the first.</param>
    /// <param name="hasFolder">Whether files may come later: then none need be there now.</param>
    public TopologyFiles(IReadOnlyList<TopologyFile> files, IReadOnlyList<TopologyFault> faults, string baseDirectory, bool hasFolder)
    {
        _faults = faults;
        _baseDirectory = baseDirectory;
        _hasFolder = hasFolder;
        Levels = [.. files.Select(FileLevel.Read)];
        Settings = SettingsReader.Read(Levels);
    }

    /// <summary>Each file with the members of its top level that have their type.</summary>
    public IReadOnlyList<FileLevel> Levels { get; }

    public HostSettings Settings { get; }

    /// <summary>Full paths, in the order of the files, each once.</summary>
    public IReadOnlyList<string> PluginRoots => [.. Settings.PluginRoots.Select(root => root.Full)];

    /// <summary>Checks everything against the kinds that there are.</summary>
    /// <exception cref="TopologyException">Something is wrong; the exception lists everything.</exception>
    public TopologyModel Read(IKindSource kinds)
    {
        if (Levels.Count > 0 && !_hasFolder && Levels.All(level => !level.File.Has("$.vms")))
            Levels[0].File.Add("$", "\"vms\" is missing.", "Add \"vms\", here or in a file that this one includes.");
        var vms = TopologyReader.Read(Levels, kinds, Settings);
        TopologyFault[] faults = [.. _faults, .. Levels.SelectMany(level => level.File.Faults)];
        if (faults.Any(fault => !fault.IsPlugins)) throw new TopologyException(faults);
        return new TopologyModel([.. Levels.Select(level => level.File.Name)], _baseDirectory, Settings, vms) { Warnings = faults };
    }
}

/// <summary>The top level of a file.</summary>
/// <param name="File">The file.</param>
/// <param name="Root">All of it.</param>
/// <param name="Members">The members that have their type.</param>
internal sealed record FileLevel(TopologyFile File, Layered Root, IReadOnlyDictionary<string, Layered> Members)
{
    public static FileLevel Read(TopologyFile file)
    {
        var root = new Layered(new Place(file, "$"), file.Root);
        return new FileLevel(file, root, LevelReader.Read(root, TopologyJson.Default.TopologyConfig));
    }
}
