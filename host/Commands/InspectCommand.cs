using System.CommandLine;
using NicHost.Host.Control;

namespace NicHost.Host.Commands;

/// <summary><c>nichost inspect</c>: the live tree of a running host.</summary>
internal static class InspectCommand
{
    public static Command Build()
    {
        var target = new Argument<string?>("target") { Description = "A VM, or a NIC as VM/NIC. Left out: everything.", Arity = ArgumentArity.ZeroOrOne, HelpName = "VM[/NIC]" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var control = SharedOptions.Control();
        var command = new Command("inspect", "Prints the live state of a running host.") { target, json, control };
        command.SetAction(async (result, cancel) =>
        {
            var request = $"{ControlRequests.Inspect} {(result.GetValue(json) ? ControlRequests.Json : ControlRequests.Text)} {result.GetValue(target)}";
            try
            {
                Console.Out.Write(await ControlClient.AskAsync(result.GetValue(control) ?? ControlPath.Default, request, cancel));
                return 0;
            }
            catch (ControlException e)
            {
                Console.Error.WriteLine(e.Message);
                return 1;
            }
        });
        return command;
    }
}
