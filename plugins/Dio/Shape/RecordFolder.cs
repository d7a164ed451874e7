using System.Text;
using System.Text.Json;

namespace NicHost.Dio.Shape;

/// <summary>
/// The records of what runs have made, a file each. A run holds its file locked; the kernel lets go of the lock when the process ends,
/// however that happens, so a record that can be locked is an abandoned one.
/// </summary>
internal sealed class RecordFolder(string path)
{
    private const string Suffix = ".made";

    public string Path => path;

    /// <summary>Makes a record, locked.</summary>
    /// <exception cref="IOException">The folder cannot be used.</exception>
    public Record Create(MadeBy by)
    {
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
            else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            // Complete and locked before it has a name that others look for.
            var name = System.IO.Path.Combine(path, $"{Guid.NewGuid():n}{Suffix}");
            var stream = new FileStream(name + ".new", FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            var record = new Record(stream, name, by);
            record.Write(JsonSerializer.Serialize(by, MadeJson.Default.MadeBy));
            File.Move(name + ".new", name);
            return record;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The record of what is made cannot be written to {path}: {e.Message} Set RUNTIME_DIRECTORY or XDG_RUNTIME_DIR to a folder of our user.", e);
        }
    }

    /// <summary>The records of a namespace that nobody holds, each locked for the caller.</summary>
    public IEnumerable<Record> Abandoned(string inNamespace)
    {
        foreach (var name in Files())
        {
            if (Record.TryTake(name) is not { } record) continue;
            if (record.By.Namespace == inNamespace) yield return record;
            else record.Dispose();
        }
    }

    private string[] Files()
    {
        try { return Directory.Exists(path) ? [.. Directory.GetFiles(path, $"*{Suffix}").Order(StringComparer.Ordinal)] : []; }
        // Another user's: what lies there is not ours to undo.
        catch (UnauthorizedAccessException) { return []; }
    }
}

/// <summary>One record, locked while this object lives.</summary>
internal sealed class Record(FileStream stream, string path, MadeBy by) : IDisposable
{
    public MadeBy By => by;

    /// <summary>What was made, oldest first.</summary>
    public IReadOnlyList<MadeThing> Things { get; private init; } = [];

    /// <summary>Takes over a record that nobody holds; null when somebody does, or when it is none.</summary>
    public static Record? TryTake(string path)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
            if (JsonSerializer.Deserialize(reader.ReadLine() ?? "null", MadeJson.Default.MadeBy) is not { } by) throw new JsonException("no owner");
            var things = new List<MadeThing>();
            while (reader.ReadLine() is { } line)
            {
                // The last line may be cut short: its thing was not made yet.
                if (!line.EndsWith('}')) break;
                if (JsonSerializer.Deserialize(line, MadeJson.Default.MadeThing) is { } thing) things.Add(thing);
            }
            return new Record(stream, path, by) { Things = things };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            stream?.Dispose();
            return null;
        }
    }

    public void Append(MadeThing thing) => Write(JsonSerializer.Serialize(thing, MadeJson.Default.MadeThing));

    public void Write(string line)
    {
        stream.Write(Encoding.UTF8.GetBytes(line + "\n"));
        stream.Flush();
    }

    public void Delete() => File.Delete(path);

    public void Dispose() => stream.Dispose();
}
