using System.CommandLine;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary><c>nichost resolve</c>: what a topology comes to, in one canonical form.</summary>
internal static class ResolveCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost resolve", "shows what the host would run of plugins.json"),
            ("nichost resolve --json base.json vms/", "one file that means the same as all of these"),
        ],
        ExitCodes = [(ExitCode.Faults, "the topology has faults")],
    };

    public static Command Build()
    {
        var topology = new TopologyArguments();
        var plugins = new PluginArguments();
        var json = new Option<bool>("--json") { Description = "Print JSON, which is a topology again." };
        var command = new HostCommand("resolve",
            "Prints a topology in its canonical form: files merged, variables filled in, a value for every option, everything sorted.", Help) { json };
        plugins.AddTo(command);
        topology.AddTo(command);
        command.SetAction(result => Resolve(topology.Source(result), plugins.Read(result), result.GetValue(json), Console.Out, Console.Error));
        return command;
    }

    internal static int Resolve(TopologySource source, PluginChoice plugins, bool isJson, TextWriter output, TextWriter errors)
    {
        try
        {
            var (topology, _) = SharedOptions.Load(source, plugins);
            // What a plugin that failed would have made of its options, nobody knows.
            if (topology.Warnings.Count > 0) throw new TopologyException(topology.Warnings);
            var resolved = TopologyResolver.Resolve(topology);
            output.Write(isJson ? JsonText.Page(resolved) : TopologyText.Render(resolved));
            return ExitCode.Fine;
        }
        catch (TopologyException e)
        {
            errors.Write(CheckCommand.Text(e.Faults));
            return ExitCode.Faults;
        }
    }
}
