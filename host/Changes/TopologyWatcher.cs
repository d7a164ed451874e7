using Microsoft.Extensions.Logging;

namespace NicHost.Host.Changes;

/// <summary>
/// Follows the files of a topology: once a while has passed without further events, it looks whether they are what they were when they were
/// last applied. Editors write in several steps, or rename a new file over the old one; both come out as one change. Folders of the
/// topology count with the files that appear in them.
/// </summary>
internal sealed partial class TopologyWatcher : IAsyncDisposable
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(250);

    private readonly LiveTopology _live;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private readonly Dictionary<string, FileSystemWatcher> _watchers = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _turn = new(1);
    private volatile bool _stopped;

    public TopologyWatcher(LiveTopology live, ILoggerFactory logging, TimeProvider time)
    {
        (_live, _log) = (live, logging.CreateLogger("NicHost.Changes"));
        _timer = time.CreateTimer(_ => _ = LookAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Watch();
        // What happened between the first reading and the watch.
        Later();
    }

    public async ValueTask DisposeAsync()
    {
        _stopped = true;
        await _timer.DisposeAsync();
        await _turn.WaitAsync();
        foreach (var watcher in _watchers.Values) watcher.Dispose();
    }

    private async Task LookAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (_stopped || !_live.Applied.IsOutdated()) return;
            await _live.FollowAsync();
            // What the files include may be another list now, and may have changed before it was watched.
            Watch();
            if (_live.Applied.IsOutdated()) Later();
        }
#pragma warning disable CA1031 // a change that fails must not end the watching
        catch (Exception e) { LogFailed(_log, e); }
#pragma warning restore CA1031
        finally { _turn.Release(); }
    }

    private void Watch()
    {
        var folders = _live.Applied.Folders.Where(Directory.Exists).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _watchers.Keys.Except(folders).ToArray())
        {
            _watchers.Remove(gone, out var watcher);
            watcher!.Dispose();
        }
        foreach (var folder in folders.Except(_watchers.Keys).ToArray()) _watchers.Add(folder, Start(folder));
    }

    private FileSystemWatcher Start(string folder)
    {
        var watcher = new FileSystemWatcher(folder) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size };
        watcher.Changed += (_, _) => Later();
        watcher.Created += (_, _) => Later();
        watcher.Deleted += (_, _) => Later();
        watcher.Renamed += (_, _) => Later();
        watcher.Error += (_, _) => Later();
        watcher.EnableRaisingEvents = true;
        return watcher;
    }

    private void Later()
    {
        if (!_stopped) _timer.Change(Quiet, Timeout.InfiniteTimeSpan);
    }

    [LoggerMessage(223, LogLevel.Error, "A change of the topology files could not be dealt with.")]
    private static partial void LogFailed(ILogger log, Exception e);
}
