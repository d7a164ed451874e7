using System.CommandLine;
using NicHost.Host.Control;

namespace NicHost.Host.Commands;

/// <summary><c>nichost status</c>: a line per NIC of a running host.</summary>
internal static class StatusCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost status", "every NIC"),
            ("nichost status web", "the NICs of one VM"),
            ("nichost status --json | jq '.[] | select(.state != \"running\")'", "for programs"),
        ],
        ExitCodes = [(ExitCode.Faults, "there is no such VM or NIC"), CommandHelp.NoHost],
    };

    public static Command Build()
    {
        var target = SharedOptions.Target();
        var json = SharedOptions.Json();
        var control = SharedOptions.Control();
        var command = new HostCommand("status", "Prints a line per NIC: state, link, who is attached, counters, the last fault.", Help) { target, json, control };
        command.SetAction((result, cancel) => OperatorQuery.PrintAsync(
            result.GetValue(control), $"{ControlRequests.Status} {(result.GetValue(json) ? ControlRequests.Json : ControlRequests.Text)} {result.GetValue(target)}", cancel));
        return command;
    }
}
