using System.CommandLine;
using NicHost.Host.Completion;
using NicHost.Host.Control;

namespace NicHost.Host.Commands;

/// <summary><c>nichost pass</c>: hands open descriptors of this process to a NIC's endpoint.</summary>
internal static class PassCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples = [("nichost pass web/eth0 5 6", "descriptors 5 and 6, which this command has inherited: two queues of a TAP")],
        ExitCodes = [(ExitCode.Faults, "there is no such NIC, or its endpoint does not take them"), CommandHelp.NoHost],
    };

    public static Command Build()
    {
        var nic = new Argument<string>("VM/NIC") { Description = "The NIC." };
        SharedOptions.RefuseDashes(nic!);
        nic.CompletionSources.Add(RunningNics.Nics);
        var descriptors = new Argument<int[]>("FD") { Description = "Numbers of open descriptors.", Arity = ArgumentArity.OneOrMore };
        var control = SharedOptions.Control();
        var command = new HostCommand("pass", "Hands open descriptors to a NIC's endpoint, such as those of a TAP to dio.", Help) { nic, descriptors, control };
        command.SetAction((result, cancel) =>
            OperatorQuery.PassAsync(result.GetValue(control), $"{ControlRequests.Pass} {result.GetValue(nic)}", result.GetValue(descriptors)!, cancel));
        return command;
    }
}
