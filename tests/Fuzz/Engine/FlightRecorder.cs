using System.Diagnostics;
using System.IO.MemoryMappedFiles;

namespace NicHost.Fuzz.Engine;

/// <summary>
/// Keeps the present input in a mapped file, so that it is there after a crash that no handler sees; ends the process when a run takes too long.
/// </summary>
internal sealed class FlightRecorder : IDisposable
{
    private readonly string _path;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Timer _timer;
    private readonly TimeSpan _patience;
    private byte[] _input = [];
    private long _since;

    /// <param name="path">Where; an input that is left there by a process that died is kept as a finding.</param>
    /// <param name="capacity">Bytes of an input at most.</param>
    /// <param name="patience">Time for one run.</param>
    public FlightRecorder(string path, int capacity, TimeSpan patience)
    {
        _path = path;
        _patience = patience;
        if (File.Exists(path)) KeepLast(path);
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, capacity + 4);
        _view = _file.CreateViewAccessor();
        _timer = new Timer(_ => Check(), null, 1000, 1000);
    }

    public void Begin(byte[] input)
    {
        _view.Write(0, input.Length);
        _view.WriteArray(4, input, 0, input.Length);
        _input = input;
        Volatile.Write(ref _since, Stopwatch.GetTimestamp());
    }

    public void End()
    {
        Volatile.Write(ref _since, 0);
        _view.Write(0, 0);
    }

    public void Dispose()
    {
        _timer.Dispose();
        _view.Dispose();
        _file.Dispose();
        File.Delete(_path);
    }

    private static void KeepLast(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var length = bytes.Length < 4 ? 0 : BitConverter.ToInt32(bytes);
        if (length <= 0 || length > bytes.Length - 4) return;
        var kept = Path.Combine(Path.GetDirectoryName(path)!, $"died-{Campaign.Hash(bytes.AsSpan(4, length))}.bin");
        File.WriteAllBytes(kept, bytes[4..(4 + length)]);
        Console.Error.WriteLine($"The last process died on {kept}.");
    }

    private void Check()
    {
        var since = Volatile.Read(ref _since);
        if (since == 0 || Stopwatch.GetElapsedTime(since) < _patience) return;
        var path = Path.Combine(Path.GetDirectoryName(_path)!, $"hang-{Campaign.Hash(_input)}.bin");
        File.WriteAllBytes(path, _input);
        Console.Error.WriteLine($"A run took more than {_patience.TotalSeconds} s: {path}");
        Environment.Exit(3);
    }
}
