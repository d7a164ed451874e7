using System.CommandLine;
using NicHost.Host.Control;
using NicHost.Probe.Checks;

namespace NicHost.Host.Commands;

/// <summary><c>nichost probe VM/NIC</c>: a probe guest attaches to a NIC of a running host and goes through its checklist.</summary>
internal static class ProbeNicCommand
{
    public static Command Build()
    {
        var nic = new Argument<string>("nic") { Description = "The NIC, as VM/NIC. No VMM may be attached to it.", HelpName = "VM/NIC" };
        var control = SharedOptions.Control();
        var command = new Command("probe", "Attaches a built-in probe guest to a NIC of a running host and checks what a guest gets. Exit code 1 when a check fails.") { nic, control };
        command.SetAction(async (result, _) =>
        {
            using var stop = new StopSignal();
            var cancel = stop.Token;
            try
            {
                var description = await ControlClient.AskAsync(result.GetValue(control) ?? ControlPath.Default, $"{ControlRequests.Describe} {result.GetValue(nic)}", cancel);
                return await ProbeCommand.RunAsync(ProbeTargets.Read(description), Console.Out, cancel);
            }
            catch (OperationCanceledException) { return 1; }
            catch (ControlException e)
            {
                Console.Error.WriteLine(e.Message);
                return 1;
            }
        });
        return command;
    }
}
