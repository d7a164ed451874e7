using System.Text;
using NicHost.Host.Topology;

namespace NicHost.Host.Tests.Topology;

/// <summary>Topology files in memory, under a folder of their own: names are as on the command line.</summary>
internal sealed class MemoryFiles : IFileStore
{
    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    public string this[string name]
    {
        set => _files[Path.GetFullPath(name)] = Encoding.UTF8.GetBytes(value);
    }

    public static TopologySource Source(string text) => new(["sample.json"], new MemoryFiles { ["sample.json"] = text }, _ => null);

    public bool IsFolder(string path) => _files.Keys.Any(file => file.StartsWith(path.TrimEnd('/') + "/", StringComparison.Ordinal));

    public IReadOnlyList<string> List(string folder) => [.. _files.Keys.Where(file => Path.GetDirectoryName(file) == folder.TrimEnd('/')).Select(file => Path.GetFileName(file)!).Where(name => name.EndsWith(".json", StringComparison.Ordinal) && name[0] != '.')];

    public byte[] Read(string path) => _files.TryGetValue(path, out var text) ? text : throw new IOException("There is no such file.");

    public string Identity(string path) => path;
}
