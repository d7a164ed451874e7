using System.CommandLine;
using Microsoft.Extensions.Logging;
using NicHost.Host.Control;
using NicHost.Host.Diagnostics.Logging;
using NicHost.Host.Machines;
using NicHost.Host.Topology;
using NicHost.Linux;
using NicHost.Probe.Checks;

namespace NicHost.Host.Commands;

/// <summary><c>nichost demo</c>: serves a topology, and a probe guest attaches to each of its NICs, through the socket as a VMM does.</summary>
internal static class DemoCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples = [("nichost demo", "the topology that ships with the host"), ("nichost demo mine.json", "a topology of your own")],
        ExitCodes = [(ExitCode.Faults, "the topology has faults, or a check failed")],
    };

    public static Command Build()
    {
        var topology = new TopologyArguments();
        var plugins = new PluginArguments();
        var command = new HostCommand("demo", "Shows what it does on a machine without a VMM: starts the host and attaches a probe guest to each NIC.", Help);
        plugins.AddTo(command);
        topology.AddTo(command);
        command.SetAction(async (result, _) =>
        {
            using var stop = new StopSignal();
            try { return await RunAsync(new TopologySource([.. topology.Paths(result).Select(Find)]), plugins.Read(result), stop.Token); }
            catch (OperationCanceledException) { return ExitCode.Faults; }
            catch (TopologyException e)
            {
                foreach (var fault in e.Faults) Console.Error.WriteLine(fault);
                return ExitCode.Faults;
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(TopologySource source, PluginChoice plugins, CancellationToken cancel)
    {
        var (topology, catalog) = SharedOptions.Load(source, plugins);
        ThisProcess.RaiseFileLimit();
        using var logging = LogSink.Factory(new LogSettings { Level = LogLevel.Warning }, Console.Error, TimeProvider.System);
        await using var host = new HostRuntime(() => catalog.Plugins, LoopPool.DefaultCount, logging, TimeProvider.System);
        await host.ApplyAsync(topology);
        Console.Out.Write(RunBanner.Render(host));
        var failed = 0;
        foreach (var nic in host.Nics)
        {
            Console.Out.WriteLine();
            failed += await ProbeAsync(nic, cancel);
        }
        Console.Out.WriteLine();
        Console.Out.WriteLine(failed == 0
            ? "Everything works. Serve your own VMs with: ./nichost run"
            : $"{failed} of {host.Nics.Count()} NICs did not pass.");
        return failed == 0 ? ExitCode.Fine : ExitCode.Faults;
    }

    private static async Task<int> ProbeAsync(NicInstance nic, CancellationToken cancel)
    {
        if (nic.State != NicState.Running)
        {
            Console.Out.WriteLine($"{nic.Identity} did not start: {nic.Reason}");
            return 1;
        }
        try
        {
            return await ProbeCommand.RunAsync(ProbeTargets.Read(NicDescription.Render(nic.Model)), Console.Out, cancel);
        }
        catch (ControlException e)
        {
            Console.Out.WriteLine($"skipped: {e.Message}");
            return 0;
        }
    }

    // From any folder: without a topology here, the one that came with the sources.
    private static string Find(string path)
    {
        if (path != CommandLine.DefaultTopology || File.Exists(path)) return path;
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, path))) return Path.Combine(folder, path);
        }
        return path;
    }
}
