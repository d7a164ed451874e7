using System.CommandLine;
using NicHost.Host.Completion;
using NicHost.Host.Control;

namespace NicHost.Host.Commands;

/// <summary><c>nichost restart</c>: a VM's NICs, or one of them, from the start.</summary>
internal static class RestartCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost restart web/eth0", "one NIC, also one that was given up after too many faults"),
            ("nichost restart web", "all NICs of a VM, with the newest plugins"),
        ],
        ExitCodes = [(ExitCode.Faults, "there is no such VM or NIC, or it does not start"), CommandHelp.NoHost],
    };

    public static Command Build()
    {
        var target = new Argument<string>("VM[/NIC]") { Description = "A VM, or a NIC as VM/NIC." };
        SharedOptions.RefuseDashes(target!);
        target.CompletionSources.Add(RunningNics.VmsAndNics);
        var control = SharedOptions.Control();
        var command = new HostCommand("restart", "Starts the NICs of a VM, or one of them, anew. Their VMMs have to attach again.", Help) { target, control };
        command.SetAction((result, cancel) => ChangeQuery.RunAsync(result.GetValue(control), $"{ChangeRequests.Restart} {result.GetValue(target)}", cancel));
        return command;
    }
}
