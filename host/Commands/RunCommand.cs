using System.CommandLine;
using Microsoft.Extensions.Logging;
using NicHost.Host.Control;
using NicHost.Host.Diagnostics;
using NicHost.Host.Machines;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;
using NicHost.Linux;

namespace NicHost.Host.Commands;

/// <summary><c>nichost run</c>: serves a topology until it is told to stop.</summary>
internal static partial class RunCommand
{
    public static Command Build()
    {
        var topology = SharedOptions.Topology();
        var plugins = SharedOptions.Plugins();
        var control = SharedOptions.Control();
        var loops = new Option<int>("--loops") { Description = "Threads that serve the NICs. Default: one per core, at most 4.", HelpName = "N", DefaultValueFactory = _ => LoopPool.DefaultCount };
        loops.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && (!int.TryParse(text, out var n) || n is < 1 or > 256)) result.AddError("--loops takes 1 to 256.");
        });
        var level = new Option<LogLevel>("--log-level") { Description = "What is logged to stderr: trace, debug, information, warning, error.", HelpName = "LEVEL", DefaultValueFactory = _ => LogLevel.Information };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "The same as --log-level debug." };
        var command = new Command("run", "Serves a topology until SIGINT or SIGTERM.") { topology, plugins, control, loops, level, verbose };
        command.SetAction((result, _) => RunAsync(new RunSettings(
            result.GetValue(topology)!, result.GetValue(plugins)!, result.GetValue(control), result.GetValue(loops),
            result.GetValue(verbose) ? LogLevel.Debug : result.GetValue(level))));
        return command;
    }

    private static async Task<int> RunAsync(RunSettings settings)
    {
        using var stop = new StopSignal();
        TopologyModel topology;
        PluginCatalog catalog;
        try { (topology, catalog) = SharedOptions.Load(settings.Topology, settings.Plugins); }
        catch (TopologyException e)
        {
            foreach (var fault in e.Faults) Console.Error.WriteLine(fault);
            return 1;
        }
        ThisProcess.RaiseFileLimit();
        using var logging = new StderrLogging(Console.Error, settings.Level, TimeProvider.System);
        var log = logging.CreateLogger("NicHost");
        TaskScheduler.UnobservedTaskException += (_, e) =>
        {
            LogUnobserved(log, e.Exception);
            e.SetObserved();
        };
        foreach (var plugin in catalog.Plugins.Where(p => p.Status != PluginStatus.Active)) LogPlugin(log, plugin.ToString(), plugin.Path, plugin.Reason!);

        await using var host = new HostRuntime(() => catalog.Plugins, settings.Loops, logging, TimeProvider.System);
        ControlServer? control;
        try { control = await StartControlAsync(settings, host, logging, log); }
        catch (IOException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        await host.ApplyAsync(topology);
        Console.Out.Write(RunBanner.Render(host));
        await stop.Requested;
        LogStopping(log);
        if (control is not null) await control.DisposeAsync();
        await host.DisposeAsync();
        return 0;
    }

    // A second host on one machine is no mistake unless the user named the socket.
    private static async Task<ControlServer?> StartControlAsync(RunSettings settings, HostRuntime host, ILoggerFactory logging, ILogger log)
    {
        try
        {
            return await ControlServer.StartAsync(settings.Control ?? ControlPath.Default, words => ControlRequests.AnswerAsync(host, words), logging);
        }
        catch (IOException e) when (settings.Control is null)
        {
            LogNoControl(log, e.Message);
            return null;
        }
    }

    private sealed record RunSettings(string Topology, string[] Plugins, string? Control, int Loops, LogLevel Level);

    [LoggerMessage(1, LogLevel.Warning, "Plugin {Plugin} in {Path} is not used: {Reason}")]
    private static partial void LogPlugin(ILogger log, string plugin, string path, string reason);

    [LoggerMessage(2, LogLevel.Warning, "No inspect: {Reason}")]
    private static partial void LogNoControl(ILogger log, string reason);

    [LoggerMessage(3, LogLevel.Information, "Stopping.")]
    private static partial void LogStopping(ILogger log);

    [LoggerMessage(4, LogLevel.Error, "A task that nobody waits for failed.")]
    private static partial void LogUnobserved(ILogger log, Exception e);
}
