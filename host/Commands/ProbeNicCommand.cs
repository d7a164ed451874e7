using System.CommandLine;
using NicHost.Host.Control;
using NicHost.Probe.Checks;

namespace NicHost.Host.Commands;

/// <summary><c>nichost probe VM/NIC</c>: a probe guest attaches to a NIC of a running host and goes through its checklist.</summary>
internal static class ProbeNicCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples = [("nichost probe web/eth0", "while no VMM is attached to it")],
        ExitCodes = [(ExitCode.Faults, "a check failed, or there is no such NIC"), CommandHelp.NoHost],
    };

    public static Command Build()
    {
        var nic = new Argument<string>("VM/NIC") { Description = "The NIC, as VM/NIC. No VMM may be attached to it." };
        SharedOptions.RefuseDashes(nic);
        var control = SharedOptions.Control();
        var command = new HostCommand("probe", "Attaches a built-in probe guest to a NIC of a running host and checks what a guest gets.", Help) { nic, control };
        command.SetAction(async (result, _) =>
        {
            using var stop = new StopSignal();
            var cancel = stop.Token;
            try
            {
                return await OperatorQuery.GuardAsync(async () =>
                {
                    var description = await ControlClient.AskAsync(result.GetValue(control) ?? ControlPath.Default, $"{ControlRequests.Describe} {result.GetValue(nic)}", cancel);
                    return await ProbeCommand.RunAsync(ProbeTargets.Read(description), Console.Out, cancel);
                });
            }
            catch (OperationCanceledException) { return ExitCode.Faults; }
        });
        return command;
    }
}
