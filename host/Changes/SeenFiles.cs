using System.Security.Cryptography;
using NicHost.Host.Topology;

namespace NicHost.Host.Changes;

/// <summary>Files and folders as somebody reads them, with a memory of what they held, so that one can tell later whether they hold something else.</summary>
internal sealed class SeenFiles(IFileStore below) : IFileStore
{
    private Dictionary<string, string> _contents = new(StringComparer.Ordinal);
    private Dictionary<string, string> _listings = new(StringComparer.Ordinal);

    public bool IsFolder(string path) => below.IsFolder(path);

    public string Identity(string path) => below.Identity(path);

    public IReadOnlyList<string> List(string folder)
    {
        _listings[folder] = "";
        var names = below.List(folder);
        _listings[folder] = string.Join('\n', names);
        return names;
    }

    public byte[] Read(string path)
    {
        // One that cannot be read has no content, until it can.
        _contents[path] = "";
        var text = below.Read(path);
        _contents[path] = Hash(text);
        return text;
    }

    /// <summary>Hands out what was seen since the last call, and starts anew.</summary>
    public FileMemory Take()
    {
        var memory = new FileMemory(below, _contents, _listings);
        (_contents, _listings) = (new(StringComparer.Ordinal), new(StringComparer.Ordinal));
        return memory;
    }

    internal static string Hash(byte[] text) => Convert.ToHexString(SHA256.HashData(text));
}

/// <summary>What files and folders held when they were read.</summary>
internal sealed class FileMemory(IFileStore store, IReadOnlyDictionary<string, string> contents, IReadOnlyDictionary<string, string> listings)
{
    /// <summary>The folders in which a change would show.</summary>
    public IEnumerable<string> Folders => contents.Keys.Select(file => Path.GetDirectoryName(file)!).Concat(listings.Keys).Distinct(StringComparer.Ordinal);

    /// <summary>Whether they hold something else now.</summary>
    public bool IsOutdated() =>
        listings.Any(folder => Try(() => string.Join('\n', store.List(folder.Key))) != folder.Value)
        || contents.Any(file => Try(() => SeenFiles.Hash(store.Read(file.Key))) != file.Value);

    private static string Try(Func<string> read)
    {
        try { return read(); }
        catch (IOException) { return ""; }
    }
}
