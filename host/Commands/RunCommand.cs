using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using NicHost.Host.Changes;
using NicHost.Host.Control;
using NicHost.Host.Diagnostics.Logging;
using NicHost.Host.Diagnostics.Metrics;
using NicHost.Host.Machines;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;
using NicHost.Linux;

namespace NicHost.Host.Commands;

/// <summary><c>nichost run</c>: serves a topology until it is told to stop.</summary>
internal static partial class RunCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost run", "serves plugins.json, and follows it as it changes"),
            ("nichost run --log-level information,NicHost.Nics=debug vms.json", "tells more about NICs"),
            ("nichost run --control /run/nichost/lab.sock lab.json", "a second host beside the first"),
        ],
        ExitCodes = [(ExitCode.Faults, "the topology has faults"), (ExitCode.NotStarted, "it could not start: another host has the control socket")],
    };

    public static Command Build()
    {
        var topology = new TopologyArguments();
        var plugins = SharedOptions.Plugins();
        var control = SharedOptions.Control();
        var loops = new Option<int>("--loops") { Description = "Threads that serve the NICs. Default: one per core, at most 4.", HelpName = "N", DefaultValueFactory = _ => LoopPool.DefaultCount };
        loops.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && (!int.TryParse(text, out var n) || n is < 1 or > 256)) result.AddError("--loops takes 1 to 256.");
        });
        var noControl = new Option<bool>("--no-control") { Description = "Run without a control socket: no command reaches this host." };
        var noWatch = new Option<bool>("--no-watch") { Description = "Do not follow the topology's files as they change; \"nichost apply\" and SIGHUP still do." };
        var log = new LogOptions();
        var command = new HostCommand("run", "Serves a topology until SIGINT or SIGTERM.", Help) { plugins, control, noControl, noWatch, loops };
        topology.AddTo(command);
        log.AddTo(command);
        command.SetAction(async (result, _) =>
        {
            LogSettings logging;
            try { logging = log.Read(result); }
            catch (FormatException e)
            {
                Console.Error.WriteLine(e.Message);
                return ExitCode.Usage;
            }
            return await RunAsync(new RunSettings(
                topology.Paths(result), result.GetValue(plugins)!,
                result.GetValue(noControl) ? null : new ControlSocket(result.GetValue(control) ?? ControlPath.Default), result.GetValue(loops), !result.GetValue(noWatch), logging));
        });
        return command;
    }

    private static async Task<int> RunAsync(RunSettings settings)
    {
        using var stop = new StopSignal();
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
        TopologyModel topology;
        try
        {
            var files = source.Load();
            plugins = new PluginHost(SharedOptions.PluginSettings(settings.Plugins, files), logging);
            topology = files.Read(plugins.Current);
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
        using var live = new LiveTopology(source, seen, files => SharedOptions.PluginSettings(settings.Plugins, files), plugins, host, logging);
        using var instruments = new HostMetrics(host);
        using var metrics = new MetricsExport(host, logging);
        ControlServer? control = null;
        try
        {
            if (settings.Control is { } socket) control = ControlServer.Start(socket, words => ControlRequests.AnswerAsync(host, plugins, live, metrics, words), logging);
        }
        catch (IOException e)
        {
            Console.Error.WriteLine(e.Message);
            return ExitCode.NotStarted;
        }
        await using var reachable = control;
        await host.ApplyAsync(topology);
        Console.Out.Write(RunBanner.Render(host));
        await using (settings.Watch ? new TopologyWatcher(live, logging, TimeProvider.System) : null)
        using (PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Follow(context, live)))
        {
            await stop.Requested;
        }
        LogStopping(log);
        return ExitCode.Fine;
    }

    private static void Follow(PosixSignalContext context, LiveTopology live)
    {
        context.Cancel = true;
        _ = live.FollowAsync();
    }

    private sealed record RunSettings(IReadOnlyList<string> Topology, string[] Plugins, ControlSocket? Control, int Loops, bool Watch, LogSettings Logging);

    [LoggerMessage(2, LogLevel.Warning, "A plugin fails; its NICs do not run. {Fault}")]
    private static partial void LogWarning(ILogger log, string fault);

    [LoggerMessage(3, LogLevel.Information, "Stopping.")]
    private static partial void LogStopping(ILogger log);

    [LoggerMessage(4, LogLevel.Error, "A task that nobody waits for failed.")]
    private static partial void LogUnobserved(ILogger log, Exception e);
}
