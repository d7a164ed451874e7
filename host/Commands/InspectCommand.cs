using System.CommandLine;
using NicHost.Host.Control;

namespace NicHost.Host.Commands;

/// <summary><c>nichost inspect</c>: the live tree of a running host.</summary>
internal static class InspectCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost inspect", "everything"),
            ("nichost inspect web/eth0", "one NIC: rings, features, flows, counters"),
            ("nichost inspect --json web | jq .eth0.queue0", "for programs"),
        ],
        ExitCodes = [(ExitCode.Faults, "there is no such VM or NIC"), CommandHelp.NoHost],
    };

    public static Command Build()
    {
        var target = SharedOptions.Target();
        var json = SharedOptions.Json();
        var control = SharedOptions.Control();
        var command = new HostCommand("inspect", "Prints the live state of a running host.", Help) { target, json, control };
        command.SetAction((result, cancel) => OperatorQuery.PrintAsync(
            result.GetValue(control), $"{ControlRequests.Inspect} {(result.GetValue(json) ? ControlRequests.Json : ControlRequests.Text)} {result.GetValue(target)}", cancel));
        return command;
    }
}
