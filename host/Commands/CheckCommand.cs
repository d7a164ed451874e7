using System.CommandLine;
using System.Text.Json;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary><c>nichost check</c>: every fault of a topology, one a line.</summary>
internal static class CheckCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost check", "names every fault of plugins.json"),
            ("nichost check base.json vms/", "one topology from a file and a folder's files"),
            ("nichost check --json lab.json", "faults with file, line, column, path, message and remedy"),
        ],
        ExitCodes = [(ExitCode.Faults, "the topology has faults")],
    };

    public static Command Build()
    {
        var topology = new TopologyArguments();
        var plugins = new PluginArguments();
        var json = new Option<bool>("--json") { Description = "Print the faults as a JSON list; without faults it is empty." };
        var command = new HostCommand("check", "Checks a topology and prints every fault with its place and its remedy.", Help) { json };
        plugins.AddTo(command);
        topology.AddTo(command);
        command.SetAction(result => Check(topology.Source(result), plugins.Read(result), result.GetValue(json), Console.Out));
        return command;
    }

    internal static int Check(TopologySource source, PluginChoice plugins, bool isJson, TextWriter output)
    {
        try
        {
            var (topology, _) = SharedOptions.Load(source, plugins);
            if (isJson) output.Write(Json(topology.Warnings));
            else output.Write(topology.Warnings.Count > 0 ? Text(topology.Warnings) : Summary(topology));
            return topology.Warnings.Count > 0 ? ExitCode.Faults : ExitCode.Fine;
        }
        catch (TopologyException e)
        {
            output.Write(isJson ? Json(e.Faults) : Text(e.Faults));
            return ExitCode.Faults;
        }
    }

    internal static string Text(IEnumerable<TopologyFault> faults) => string.Concat(faults.Select(fault => $"{fault}\n"));

    internal static string Json(IReadOnlyList<TopologyFault> faults) =>
        JsonText.Page(JsonSerializer.SerializeToNode(faults, TopologyJson.Default.IReadOnlyListTopologyFault)!);

    private static string Summary(TopologyModel topology) =>
        $"{string.Join(", ", topology.Files)}: {Count(topology.Vms.Count, "VM")}, {Count(topology.Vms.Sum(vm => vm.Nics.Count), "NIC")}, no faults.\n";

    private static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
