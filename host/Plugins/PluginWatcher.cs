using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Host.Plugins;

/// <summary>
/// Has the host look at its plugins when folders come or go. A folder counts as whole only when it was renamed to its place: one that was made
/// there may be half-copied, and a plugin that is loaded from half a file takes the process with it. Runs on a loop of its own.
/// </summary>
internal sealed partial class PluginWatcher : IFdHandler, IDisposable
{
    /// <summary>How long it waits for more before it looks.</summary>
    public const long QuietMilliseconds = 200;

    private const InotifyEvents Watched = InotifyEvents.MovedTo | InotifyEvents.MovedFrom | InotifyEvents.Create | InotifyEvents.Delete
        | InotifyEvents.DeleteSelf | InotifyEvents.MoveSelf | InotifyEvents.OnlyFolder;

    private readonly PluginHost _plugins;
    private readonly IEventLoop _loop;
    private readonly ILogger _log;
    private readonly Inotify _inotify = new();
    private readonly Dictionary<int, (string Path, bool IsRoot)> _watches = [];
    private readonly HashSet<string> _arrived = new(StringComparer.Ordinal);
    private readonly ILoopTimer _quiet;
    private readonly IFdWatch _watch;
    private string? _unwatched;

    /// <summary>Starts watching, then looks: what came before the watches is not missed.</summary>
    /// <param name="plugins">Told to look.</param>
    /// <param name="loop">Not one that serves NICs: to look may take long. The caller is on it.</param>
    /// <param name="logging">Where logs go.</param>
    public PluginWatcher(PluginHost plugins, IEventLoop loop, ILoggerFactory logging)
    {
        (_plugins, _loop, _log) = (plugins, loop, logging.CreateLogger("NicHost.Plugins"));
        _quiet = loop.CreateTimer(Look);
        _watch = loop.Watch(_inotify.Raw, FdEvents.Readable, this);
        WatchFolders();
        plugins.Refresh();
        plugins.Changed += OnChanged;
    }

    /// <summary>On its loop, or after that.</summary>
    public void Dispose()
    {
        _plugins.Changed -= OnChanged;
        _watch.Dispose();
        _quiet.Dispose();
        _inotify.Dispose();
    }

    public void OnEvents(FdEvents events)
    {
        var reports = new List<InotifyReport>();
        _inotify.Drain(reports);
        foreach (var report in reports) Take(report);
    }

    private void Take(InotifyReport report)
    {
        if (report.Events.HasFlag(InotifyEvents.Overflow))
        {
            LogOverflow(_log);
            Schedule();
        }
        if (!_watches.TryGetValue(report.Watch, out var watched)) return;
        if (report.Events.HasFlag(InotifyEvents.Ignored)) _watches.Remove(report.Watch);
        var aboutItself = (report.Events & (InotifyEvents.DeleteSelf | InotifyEvents.MoveSelf)) != 0;
        // Files that come and go in a plugin's folder say nothing, and a name with a dot in front is nobody's yet.
        if (!aboutItself && (!report.Events.HasFlag(InotifyEvents.IsFolder) || report.Name.StartsWith('.'))) return;
        if (!aboutItself) TakeFolder(Path.Combine(watched.Path, report.Name), watched.IsRoot, report.Events);
        Schedule();
    }

    private void TakeFolder(string path, bool isPlugin, InotifyEvents events)
    {
        _arrived.Remove(path);
        if ((events & (InotifyEvents.MovedTo | InotifyEvents.Create)) == 0) return;
        var renamed = events.HasFlag(InotifyEvents.MovedTo);
        if (renamed) _arrived.Add(path);
        if (!isPlugin) return;
        // First the watch, then what is there already: so none is missed.
        Watch(path, isRoot: false);
        foreach (var version in PluginFolder.Versions(path).Select(folder => folder.Path))
        {
            if (renamed || IsOlder(version, path)) _arrived.Add(version);
        }
    }

    // One that is older than the folder which it is in was not made there.
    private static bool IsOlder(string path, string parent) =>
        FileStatus.Read(path, out var folder).Ok && FileStatus.Read(parent, out var around).Ok && folder.Born < around.Born;

    private void Schedule()
    {
        if (!_quiet.IsSet) _quiet.Set(QuietMilliseconds);
    }

    private void Look()
    {
        WatchFolders();
        var arrived = new HashSet<string>(_arrived, StringComparer.Ordinal);
        _arrived.Clear();
        _plugins.Refresh(arrived);
    }

    // Somebody else had it look, perhaps at other roots.
    private void OnChanged(PluginCatalog catalog) => _loop.Post(WatchFolders);

    private void WatchFolders()
    {
        var wanted = new HashSet<int>();
        foreach (var root in _plugins.Settings.Roots.Where(Directory.Exists))
        {
            wanted.Add(Watch(root, isRoot: true));
            foreach (var plugin in PluginFolder.Visible(root)) wanted.Add(Watch(plugin, isRoot: false));
        }
        foreach (var watch in _watches.Keys.Except(wanted).ToArray())
        {
            _inotify.Remove(watch);
            _watches.Remove(watch);
        }
    }

    /// <returns>The watch's number; negative when there is none.</returns>
    private int Watch(string path, bool isRoot)
    {
        var result = _inotify.Add(path, Watched);
        if (result.Ok) _watches[result.Count] = (path, isRoot);
        else if (result.Error != Errno.ENOENT && _unwatched != path) LogUnwatched(_log, _unwatched = path, result.Error);
        return result.Ok ? result.Count : -1;
    }

    [LoggerMessage(410, LogLevel.Warning, "Too much happened at once in the plugin roots. Have them looked at: \"nichost plugins --rescan\".")]
    private static partial void LogOverflow(ILogger log);

    [LoggerMessage(411, LogLevel.Warning, "{Path} cannot be watched for new plugins ({Error}). \"nichost plugins --rescan\" finds them; ENOSPC: raise fs.inotify.max_user_watches.")]
    private static partial void LogUnwatched(ILogger log, string path, Errno error);
}
