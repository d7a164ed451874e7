using System.CommandLine;
using NicHost.Host.Control;

namespace NicHost.Host.Commands;

/// <summary><c>nichost metrics</c>: what Prometheus would scrape.</summary>
internal static class MetricsCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost metrics", "everything, in the text format of Prometheus"),
            ("nichost metrics > /var/lib/node_exporter/nichost.prom", "for a textfile collector"),
        ],
        ExitCodes = [CommandHelp.NoHost],
    };

    public static Command Build()
    {
        var control = SharedOptions.Control();
        var command = new HostCommand("metrics", "Prints the metrics of a running host in the text format of Prometheus.", Help) { control };
        command.SetAction((result, cancel) => OperatorQuery.PrintAsync(result.GetValue(control), ControlRequests.Metrics, cancel));
        return command;
    }
}
