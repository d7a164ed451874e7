using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;
using NicHost.Linux;
using NicHost.Loops;

namespace NicHost.Host.Plugins;

/// <summary>The thread that watches the plugin roots.</summary>
internal sealed partial class PluginWatchThread : IDisposable
{
    private readonly EventLoop _loop;
    private readonly Task<PluginWatcher?> _watcher;

    private PluginWatchThread(PluginHost plugins, ILoggerFactory logging, TimeProvider time)
    {
        var log = logging.CreateLogger("NicHost.Plugins");
        _loop = new EventLoop("plugins", time, e => LogFault(log, e));
        _loop.Start();
        _watcher = _loop.InvokeAsync(() =>
        {
            try { return new PluginWatcher(plugins, _loop, logging); }
            catch (LinuxException e)
            {
                LogNotWatching(log, e.Message);
                return null;
            }
        });
    }

    public static PluginWatchThread Start(PluginHost plugins, ILoggerFactory logging, TimeProvider time) => new(plugins, logging, time);

    public void Dispose()
    {
        _loop.InvokeAsync(() => _watcher.Result?.Dispose()).GetAwaiter().GetResult();
        _loop.Dispose();
    }

    [LoggerMessage(412, LogLevel.Error, "Looking at the plugin roots failed.")]
    private static partial void LogFault(ILogger log, Exception e);

    [LoggerMessage(413, LogLevel.Warning, "New plugins are not noticed by themselves: {Reason}. \"nichost plugins --rescan\" finds them.")]
    private static partial void LogNotWatching(ILogger log, string reason);
}
