using Microsoft.Extensions.Logging;

namespace NicHost.Host.Plugins;

/// <summary>
/// Owns the plugins of a running host: the present catalog, and how it becomes the next one. What is loaded is never loaded anew, unless it
/// was unloaded; who holds a kind of an older catalog may go on with it. Any thread.
/// </summary>
internal sealed partial class PluginHost
{
    private readonly Lock _gate = new();
    private readonly PluginInventory _inventory = new();
    private readonly ILogger _log;
    private readonly UnloadWatch _unloads;
    private volatile PluginCatalog _current;
    private volatile PluginSettings _settings;

    /// <summary>Looks at the roots for the first time, and logs what is not used.</summary>
    public PluginHost(PluginSettings settings, ILoggerFactory logging, TimeProvider? time = null)
    {
        _settings = settings;
        _log = logging.CreateLogger("NicHost.Plugins");
        _unloads = new UnloadWatch(_log, time ?? TimeProvider.System);
        _current = _inventory.LookAgain(settings, IsUsed);
        foreach (var plugin in _current.Plugins.Where(plugin => plugin.Status is PluginStatus.Refused or PluginStatus.Faulted)) Tell(plugin);
    }

    /// <summary>Raised after <see cref="Current"/> has become another one, on the thread that made it so.</summary>
    public event Action<PluginCatalog>? Changed;

    /// <summary>The catalog of this moment.</summary>
    public PluginCatalog Current => _current;

    public PluginSettings Settings => _settings;

    /// <summary>The plugins that VMs use, by VM; set by who runs VMs.</summary>
    public Func<IEnumerable<(string Vm, PluginEntry Plugin)>> Users { get; set; } = () => [];

    /// <summary>Looks at all folders again, also at those that were refused.</summary>
    /// <returns>The catalog from now on.</returns>
    public PluginCatalog Refresh() => Update(null, settings => _inventory.LookAgain(settings, IsUsed));

    /// <summary>The same with other roots, when a topology names others.</summary>
    public PluginCatalog Refresh(PluginSettings settings) => Update(settings, settings => _inventory.LookAgain(settings, IsUsed));

    /// <summary>Looks at folders that were renamed to where they are, and for those that are gone.</summary>
    /// <param name="arrived">Their paths.</param>
    public PluginCatalog Refresh(IReadOnlySet<string> arrived) => Update(null, settings => _inventory.Look(settings, arrived, IsUsed));

    /// <summary>
    /// Unloads what no VM uses, where plugins can be unloaded, and offers what has come to its place meanwhile. Nobody may be between asking for
    /// a kind and making a NIC of it.
    /// </summary>
    public void UnloadUnused()
    {
        if (!_settings.Unloadable) return;
        IReadOnlyList<(PluginEntry Plugin, WeakReference Context)> given;
        lock (_gate)
        {
            var used = Users().Select(user => user.Plugin).ToHashSet();
            given = _inventory.GiveUp(used.Contains);
        }
        foreach (var (plugin, context) in given) _unloads.Add(plugin, context);
        if (given.Any(g => g.Plugin.Status is PluginStatus.Replaced or PluginStatus.Removed)) Refresh(new HashSet<string>());
    }

    private PluginCatalog Update(PluginSettings? other, Func<PluginSettings, PluginCatalog> look)
    {
        PluginCatalog next;
        lock (_gate)
        {
            _settings = other ?? _settings;
            var before = Summary(_current);
            next = look(_settings);
            var changed = Log(before, next);
            _current = next;
            if (!changed) return next;
        }
        Changed?.Invoke(next);
        return next;
    }

    private bool IsUsed(PluginEntry plugin) => Users().Any(user => user.Plugin == plugin);

    /// <summary>One line for each folder that is not what it was.</summary>
    private bool Log(Dictionary<string, (PluginEntry Plugin, PluginStatus Status, string? Reason)> before, PluginCatalog next)
    {
        var changed = false;
        foreach (var plugin in next.Plugins)
        {
            var isNew = !before.Remove(plugin.Path, out var past);
            if (!isNew && past.Status == plugin.Status && past.Reason == plugin.Reason && past.Plugin == plugin) continue;
            changed = true;
            Tell(plugin);
        }
        foreach (var (plugin, _, _) in before.Values)
        {
            changed = true;
            LogGone(_log, plugin.ToString(), plugin.Path);
        }
        return changed;
    }

    private void Tell(PluginEntry plugin)
    {
        switch (plugin.Status)
        {
            case PluginStatus.Active:
                LogOffered(_log, plugin.ToString(), plugin.Path, string.Join(", ", plugin.DeviceKinds.Concat(plugin.EndpointKinds)));
                break;
            case PluginStatus.Replaced:
                LogReplaced(_log, plugin.ToString(), plugin.Path, plugin.Reason!);
                break;
            case PluginStatus.Superseded or PluginStatus.Removed:
                LogStatus(_log, plugin.ToString(), plugin.Path, plugin.Status, plugin.Reason!);
                break;
            default:
                LogNotUsed(_log, plugin.ToString(), plugin.Path, plugin.Reason!);
                break;
        }
    }

    private static Dictionary<string, (PluginEntry, PluginStatus, string?)> Summary(PluginCatalog catalog) =>
        catalog.Plugins.ToDictionary(plugin => plugin.Path, plugin => (plugin, plugin.Status, plugin.Reason), StringComparer.Ordinal);

    [LoggerMessage(400, LogLevel.Warning, "Plugin {Plugin} in {Path} is not used: {Reason}")]
    private static partial void LogNotUsed(ILogger log, string plugin, string path, string reason);

    [LoggerMessage(401, LogLevel.Information, "Plugin {Plugin} in {Path} is offered: {Kinds}.")]
    private static partial void LogOffered(ILogger log, string plugin, string path, string kinds);

    [LoggerMessage(402, LogLevel.Information, "Plugin {Plugin} in {Path} is {Status}: {Reason}")]
    private static partial void LogStatus(ILogger log, string plugin, string path, PluginStatus status, string reason);

    [LoggerMessage(406, LogLevel.Warning, "Plugin {Plugin} in {Path} was replaced while it is loaded: {Reason}")]
    private static partial void LogReplaced(ILogger log, string plugin, string path, string reason);

    [LoggerMessage(403, LogLevel.Information, "Plugin {Plugin} in {Path} is gone.")]
    private static partial void LogGone(ILogger log, string plugin, string path);
}
