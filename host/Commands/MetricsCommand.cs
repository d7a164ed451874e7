using System.CommandLine;
using NicHost.Host.Control;
using NicHost.Host.Diagnostics.Metrics;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary><c>nichost metrics</c>: what Prometheus would scrape.</summary>
internal static class MetricsCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost metrics", "everything, in the text format of Prometheus"),
            ("nichost metrics --json | jq '.[] | select(.name == \"nichost_nic_drops_total\").samples'", "for programs"),
            ("nichost metrics > /var/lib/node_exporter/nichost.prom", "for a textfile collector"),
        ],
        ExitCodes = [CommandHelp.NoHost],
    };

    public static Command Build()
    {
        var json = SharedOptions.Json();
        var control = SharedOptions.Control();
        var command = new HostCommand("metrics", "Prints the metrics of a running host in the text format of Prometheus.", Help) { json, control };
        command.SetAction((result, cancel) => result.GetValue(json)
            ? PrintJsonAsync(result.GetValue(control), cancel)
            : OperatorQuery.PrintAsync(result.GetValue(control), ControlRequests.Metrics, cancel));
        return command;
    }

    private static Task<int> PrintJsonAsync(string? control, CancellationToken cancel) => OperatorQuery.GuardAsync(async () =>
    {
        var text = await ControlClient.AskAsync(control ?? ControlPath.ForClient, ControlRequests.Metrics, cancel);
        Console.Out.Write(JsonText.Page(MetricsJson.Of(text)));
        return ExitCode.Fine;
    });
}
