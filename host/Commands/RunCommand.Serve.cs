using Microsoft.Extensions.Logging;
using NicHost.Host.Changes;
using NicHost.Host.Control;
using NicHost.Host.Diagnostics;
using NicHost.Host.Diagnostics.Logging;
using NicHost.Host.Diagnostics.Metrics;
using NicHost.Host.Machines;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;
using NicHost.Linux;

namespace NicHost.Host.Commands;

/// <content>The process, from its settings to its end.</content>
internal static partial class RunCommand
{
    private static async Task<int> ServeAsync(RunSettings settings)
    {
        using var stop = new StopSignal();
        using var reload = new ReloadSignal();
        using var logging = LogSink.Factory(settings.Logging, Console.Error, TimeProvider.System);
        var log = logging.CreateLogger("NicHost");
        TaskScheduler.UnobservedTaskException += (_, e) =>
        {
            LogUnobserved(log, e.Exception);
            e.SetObserved();
        };
        ThisProcess.RaiseFileLimit();
        var seen = new SeenFiles(new Disk());
        var source = new TopologySource(settings.Topology, seen);
        PluginHost plugins;
        TopologyModel? topology;
        ControlSocket? socket;
        try
        {
            var files = source.Load();
            plugins = new PluginHost(settings.Plugins.Settings(files), logging, TimeProvider.System);
            topology = files.Read(plugins.Current);
            socket = settings.Control(files.Settings.Control);
        }
        catch (TopologyException e)
        {
            foreach (var fault in e.Faults) Console.Error.WriteLine(fault);
            return ExitCode.Faults;
        }
        foreach (var warning in topology.Warnings) LogWarning(log, warning.ToString());
        await using var host = new HostRuntime(() => plugins.Current.Plugins, settings.Loops, logging, TimeProvider.System);
        plugins.Users = () => PluginUsers.Of(host);
        using var arrivals = PluginWatchThread.Start(plugins, logging, TimeProvider.System);
        using var live = new LiveTopology(source, seen, files => settings.Plugins.Settings(files), plugins, host, logging);
        using var instruments = new HostMetrics(host);
        using var metrics = new MetricsExport(host, logging);
        ControlServer? control;
        try { control = socket is null ? null : ControlServer.Start(socket, new ControlRequests(host, plugins, live, metrics).AnswerAsync, logging); }
        catch (IOException e)
        {
            Console.Error.WriteLine(e.Message);
            return ExitCode.NotStarted;
        }
        await using var reachable = control;
        var starting = live.StartAsync(topology);
        // This frame lasts as long as the host does, and plugins have to be free to go before.
        topology = null;
        await starting;
        Console.Out.Write(RunBanner.Render(host));
        await using (settings.Watch ? new TopologyWatcher(live, logging, TimeProvider.System) : null) await ServeAsync(host, live, stop, reload, logging);
        return ExitCode.Fine;
    }

    // What a service manager is told, it is told here.
    private static async Task ServeAsync(HostRuntime host, LiveTopology live, StopSignal stop, ReloadSignal reload, ILoggerFactory logging)
    {
        var manager = new ServiceManager(logging);
        manager.Ready(Status());
        var period = LoopWatch.PeriodOf(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"));
        await using var watch = new LoopWatch(host.Loops, period, () => manager.Alive(Status()), TimeProvider.System, logging);
        var reloading = reload.ServeAsync(async () =>
        {
            manager.Reloading();
            await live.FollowAsync();
            manager.Ready(Status());
        });
        await stop.Requested;
        LogStopping(logging.CreateLogger("NicHost"));
        manager.Stopping();
        reload.Dispose();
        await reloading;

        string Status() => live.HasFaults ? $"The topology has faults and was not applied. {StatusTable.Line(host.Nics)}" : StatusTable.Line(host.Nics);
    }

    [LoggerMessage(2, LogLevel.Warning, "A plugin fails; its NICs do not run. {Fault}")]
    private static partial void LogWarning(ILogger log, string fault);

    [LoggerMessage(3, LogLevel.Information, "Stopping.")]
    private static partial void LogStopping(ILogger log);

    [LoggerMessage(4, LogLevel.Error, "A task that nobody waits for failed.")]
    private static partial void LogUnobserved(ILogger log, Exception e);
}
