using NicHost.Host.Topology;

namespace NicHost.Host.Changes;

/// <summary>The machine's files, with one as it will be: to check it where it will stand, before it does.</summary>
/// <param name="path">Full path of the file that is to be replaced.</param>
/// <param name="text">What it will hold.</param>
internal sealed class ReplacedFile(string path, byte[] text) : IFileStore
{
    private readonly Disk _disk = new();

    public bool IsFolder(string path) => _disk.IsFolder(path);

    public IReadOnlyList<string> List(string folder) => _disk.List(folder);

    public byte[] Read(string wanted) => wanted == path ? text : _disk.Read(wanted);

    public string Identity(string path) => _disk.Identity(path);

    /// <summary>Replaces the file in one step: whoever reads it, also after a crash, sees the old one or the new one, whole.</summary>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public void Commit()
    {
        // Hidden: a folder of topology files does not count it.
        var draft = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.new");
        try
        {
            using (var file = File.Create(draft))
            {
                file.Write(text);
                file.Flush(flushToDisk: true);
            }
            File.SetUnixFileMode(draft, File.GetUnixFileMode(path));
            File.Move(draft, path, overwrite: true);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{path} cannot be replaced: {e.Message} Let the host's user write to its folder, or change the file yourself and run \"nichost apply\".", e);
        }
    }
}
