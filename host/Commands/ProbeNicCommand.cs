using System.CommandLine;
using System.Net;
using NicHost.Host.Completion;
using NicHost.Host.Control;
using NicHost.Probe.Checks;
using NicHost.Probe.Stack;

namespace NicHost.Host.Commands;

/// <summary><c>nichost probe VM/NIC</c>: a probe guest attaches to a NIC of a running host and goes through its checklist.</summary>
internal static class ProbeNicCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost probe web/eth0", "while no VMM is attached to it"),
            ("nichost probe web/eth0 --address 192.0.2.2 --ping 192.0.2.1", "on an endpoint without DHCP"),
            ("nichost probe db/eth0 --address 192.0.2.1", "the one that answers, until Ctrl-C"),
        ],
        ExitCodes = [(ExitCode.Faults, "a check failed, or there is no such NIC"), CommandHelp.NoHost],
    };

    public static Command Build()
    {
        var nic = new Argument<string>("VM/NIC") { Description = "The NIC, as VM/NIC. No VMM may be attached to it." };
        SharedOptions.RefuseDashes(nic);
        nic.CompletionSources.Add(RunningNics.Nics);
        var address = new Option<string>("--address") { Description = "An address for the guest, where no DHCP answers. Without --ping it answers pings until SIGINT.", HelpName = "ADDRESS[/PREFIX]" };
        var ping = new Option<string>("--ping") { Description = "Whom a guest with --address pings.", HelpName = "ADDRESS" };
        var control = SharedOptions.Control();
        var command = new HostCommand("probe", "Attaches a built-in probe guest to a NIC of a running host and checks what a guest gets.", Help) { nic, address, ping, control };
        command.Validators.Add(result =>
        {
            var (own, peer) = (result.GetValue(address), result.GetValue(ping));
            if (own is not null && !GuestAddress.TryParse(own, out _)) result.AddError($"--address takes an address such as 192.0.2.2 or 192.0.2.2/24, not {own}.");
            if (peer is not null && own is null) result.AddError("--ping needs an --address to ping from.");
            if (peer is not null && !IPAddress.TryParse(peer, out _)) result.AddError($"--ping takes an address such as 192.0.2.1, not {peer}.");
        });
        command.SetAction(async (result, _) =>
        {
            using var stop = new StopSignal();
            var cancel = stop.Token;
            GuestAddress? own = GuestAddress.TryParse(result.GetValue(address), out var parsed) ? parsed : null;
            Ip? peer = result.GetValue(ping) is { } text ? Ip.Parse(text) : null;
            try
            {
                return await OperatorQuery.GuardAsync(async () =>
                {
                    var description = await ControlClient.AskAsync(result.GetValue(control) ?? ControlPath.ForClient, $"{ControlRequests.Describe} {result.GetValue(nic)}", cancel);
                    return await ProbeCommand.RunAsync(ProbeTargets.Read(description, own, peer), Console.Out, cancel);
                });
            }
            catch (OperationCanceledException) { return ExitCode.Faults; }
        });
        return command;
    }
}
