using NicHost.Host.Plugins;

namespace NicHost.Host.Topology;

/// <summary>The files and folders that the command line names: a topology that can be read again at any time.</summary>
internal sealed class TopologySource
{
    private readonly IReadOnlyList<string> _paths;
    private readonly IFileStore _store;
    private readonly Func<string, string?> _environment;

    /// <param name="paths">Files and folders as the user wrote them.</param>
    /// <param name="store">Where they are; left out: on this machine.</param>
    /// <param name="environment">Gives a variable's value or null; left out: the process's environment.</param>
    public TopologySource(IReadOnlyList<string> paths, IFileStore? store = null, Func<string, string?>? environment = null)
    {
        _paths = paths;
        _store = store ?? new Disk();
        _environment = environment ?? Environment.GetEnvironmentVariable;
    }

    /// <summary>Full paths of the files that the last reading read or looked for.</summary>
    public IReadOnlyList<string> Files { get; private set; } = [];

    /// <summary>Full paths of the folders whose files belong to the topology, as of the last reading.</summary>
    public IReadOnlyList<string> Folders { get; private set; } = [];

    /// <summary>Reads the files as they are now: what they say about plugins and process, before kinds are known. Faults wait for the next step.</summary>
    public TopologyFiles Load()
    {
        var collector = new FileCollector(_store, new Variables(_environment));
        foreach (var path in _paths) collector.Add(path);
        Files = [.. collector.Paths];
        Folders = [.. collector.Folders];
        return new TopologyFiles(collector.Files, collector.Faults, collector.BaseDirectory, hasFolder: Folders.Count > 0);
    }

    /// <summary>Reads the files as they are now, and checks everything.</summary>
    /// <exception cref="TopologyException">Something is wrong; the exception lists everything.</exception>
    public TopologyModel Read(IKindSource kinds) => Load().Read(kinds);
}
