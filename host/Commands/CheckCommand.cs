using System.CommandLine;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary><c>nichost check FILE</c>: every fault of a topology, one a line.</summary>
internal static class CheckCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples = [("nichost check plugins.json", "names every fault"), ("nichost check --resolved plugins.json", "shows what the host would run")],
        ExitCodes = [(ExitCode.Faults, "the topology has faults")],
    };

    public static Command Build()
    {
        var topology = new TopologyArguments();
        var plugins = SharedOptions.Plugins();
        var resolved = new Option<bool>("--resolved") { Description = "Print the topology with every default filled in." };
        var command = new HostCommand("check", "Checks a topology and prints every fault with its place and its remedy.", Help) { plugins, resolved };
        topology.AddTo(command);
        command.SetAction(result => Check(topology.Source(result), result.GetValue(plugins)!, result.GetValue(resolved), Console.Out));
        return command;
    }

    internal static int Check(TopologySource source, string[] plugins, bool resolved, TextWriter output)
    {
        try
        {
            var (topology, _) = SharedOptions.Load(source, plugins);
            foreach (var warning in topology.Warnings) output.WriteLine(warning);
            if (topology.Warnings.Count > 0) return ExitCode.Faults;
            if (resolved) output.Write(TopologyText.Render(topology));
            else output.WriteLine($"{string.Join(", ", topology.Files)}: {Count(topology.Vms.Count, "VM")}, {Count(topology.Vms.Sum(vm => vm.Nics.Count), "NIC")}, no faults.");
            return ExitCode.Fine;
        }
        catch (TopologyException e)
        {
            foreach (var fault in e.Faults) output.WriteLine(fault);
            return ExitCode.Faults;
        }
    }

    private static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
