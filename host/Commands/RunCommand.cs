using System.CommandLine;
using NicHost.Host.Control;
using NicHost.Host.Diagnostics.Logging;
using NicHost.Host.Machines;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary><c>nichost run</c>: serves a topology until it is told to stop. Here, its command line.</summary>
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
        var plugins = new PluginArguments();
        var control = new ControlOptions();
        var loops = new Option<int>("--loops") { Description = "Threads that serve the NICs. Default: one per core, at most 4.", HelpName = "N", DefaultValueFactory = _ => LoopPool.DefaultCount };
        loops.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && (!int.TryParse(text, out var n) || n is < 1 or > 256)) result.AddError("--loops takes 1 to 256.");
        });
        var noWatch = new Option<bool>("--no-watch") { Description = "Do not follow the topology's files as they change; \"nichost apply\" and SIGHUP still do." };
        var log = new LogOptions();
        var command = new HostCommand("run", "Serves a topology until SIGINT or SIGTERM.", Help) { noWatch, loops };
        topology.AddTo(command);
        plugins.AddTo(command);
        control.AddTo(command);
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
            return await ServeAsync(new RunSettings(
                topology.Paths(result), plugins.Read(result), control.Read(result), result.GetValue(loops), !result.GetValue(noWatch), logging));
        });
        return command;
    }

    private sealed record RunSettings(IReadOnlyList<string> Topology, PluginChoice Plugins, Func<ControlSettings, ControlSocket?> Control, int Loops, bool Watch, LogSettings Logging);
}
