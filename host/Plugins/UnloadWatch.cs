using Microsoft.Extensions.Logging;

namespace NicHost.Host.Plugins;

/// <summary>
/// Waits for load contexts that the host has given up, and tells of those that stay. Nothing tells when a context goes; only a collection
/// finds out, so that this has some made while it waits: a setting for development may do that. Any thread.
/// </summary>
internal sealed partial class UnloadWatch(ILogger log, TimeProvider time)
{
    /// <summary>After this long, something holds on to the context.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // A context takes two or three collections, with finalizers between them.
    private const int QuickLooks = 5;
    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);

    /// <summary>Watches a context that was given up just now.</summary>
    /// <param name="plugin">Whose it was.</param>
    /// <param name="context">Dead once it is gone.</param>
    public void Add(PluginEntry plugin, WeakReference context) => _ = WatchAsync(plugin, context, time.GetTimestamp());

    private async Task WatchAsync(PluginEntry plugin, WeakReference context, long since)
    {
        for (var looks = 0; ; looks++)
        {
            await Task.Delay(looks < QuickLooks ? Quick : Slow, time).ConfigureAwait(false);
            GC.Collect();
            if (!context.IsAlive)
            {
                LogUnloaded(log, plugin.ToString(), plugin.Path);
                return;
            }
            if (time.GetElapsedTime(since) < Limit) continue;
            plugin.CallLeaked(context);
            LogLeaked(log, plugin.ToString(), plugin.Path, Limit.TotalSeconds);
            return;
        }
    }

    [LoggerMessage(404, LogLevel.Information, "Plugin {Plugin} in {Path} is unloaded: no NIC uses it.")]
    private static partial void LogUnloaded(ILogger log, string plugin, string path);

    [LoggerMessage(405, LogLevel.Warning, "Plugin {Plugin} in {Path} was given up {Seconds} s ago and is still in memory: something of its own holds on to it, such as a handler of a static event, a timer, a thread, a meter or a GC handle. Its devices and endpoints have to let go of that in DisposeAsync. A new build is loaded beside it.")]
    private static partial void LogLeaked(ILogger log, string plugin, string path, double seconds);
}
