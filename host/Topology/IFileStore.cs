using NicHost.Contracts.Options;

namespace NicHost.Host.Topology;

/// <summary>Where topology files are. Paths are full paths.</summary>
internal interface IFileStore
{
    bool IsFolder(string path);

    /// <summary>The names of a folder's <c>*.json</c> files, sorted; hidden ones are left out.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    IReadOnlyList<string> List(string folder);

    /// <exception cref="IOException">There is no such file, or it is not readable.</exception>
    byte[] Read(string path);

    /// <summary>The same for every path that leads to one file.</summary>
    string Identity(string path);
}

/// <summary>The machine's own files.</summary>
internal sealed class Disk : IFileStore
{
    private const int MaxSize = 16 * 1024 * 1024;

    public bool IsFolder(string path) => Directory.Exists(path);

    public IReadOnlyList<string> List(string folder) => Guard(() => Directory.EnumerateFiles(folder, "*.json").Select(file => Path.GetFileName(file)!)
        .Where(name => !name.StartsWith('.')).Order(StringComparer.Ordinal).ToArray());

    public byte[] Read(string path) => Guard(() =>
    {
        using var file = File.OpenRead(path);
        using var text = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int n; (n = file.Read(buffer)) > 0;)
        {
            if (text.Length + n > MaxSize) throw new IOException($"It is longer than {MaxSize} bytes.");
            text.Write(buffer, 0, n);
        }
        return text.ToArray();
    });

    public string Identity(string path) => LinkedPath.Resolve(path);

    private static T Guard<T>(Func<T> read)
    {
        try { return read(); }
        catch (UnauthorizedAccessException) { throw new IOException("It may not be read by this user."); }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException) { throw new IOException("There is no such file."); }
    }
}
