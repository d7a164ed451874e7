using System.CommandLine;
using NicHost.Host.Completion;
using NicHost.Host.Control;

namespace NicHost.Host.Commands;

/// <summary><c>nichost apply [FILE]</c>: a running host reads its topology again, or takes another one in its place, and applies the difference.</summary>
internal static class ApplyCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost apply --dry-run", "what would change, and how gently"),
            ("nichost apply", "makes what runs as the files want it"),
            ("nichost apply new.json", "checks new.json, puts its content in the place of the host's file, and makes what runs so"),
        ],
        ExitCodes = [(ExitCode.Faults, "the topology has faults and nothing was changed, or a change could not be made"), CommandHelp.NoHost],
    };

    public static Command Build()
    {
        var file = new Argument<string?>("FILE") { Description = "A topology that replaces the host's own, which has to be one file. Left out: the host's files as they are now.", Arity = ArgumentArity.ZeroOrOne };
        SharedOptions.RefuseDashes(file);
        file.CompletionSources.Add(PathNames.Topologies);
        var dry = new Option<bool>("--dry-run") { Description = "Print the plan and change nothing." };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var control = SharedOptions.Control();
        var command = new HostCommand("apply", "A running host reads its topology again and applies the difference; VMs and NICs that do not differ are not touched.", Help) { file, dry, json, control };
        command.SetAction((result, cancel) =>
        {
            var request = $"{(result.GetValue(dry) ? ChangeRequests.Plan : ChangeRequests.Apply)} {(result.GetValue(json) ? ControlRequests.Json : ControlRequests.Text)}";
            // A request is words: a path may hold spaces.
            if (result.GetValue(file) is { } path) request += $" {Uri.EscapeDataString(Path.GetFullPath(path))}";
            return ChangeQuery.RunAsync(result.GetValue(control), request, cancel);
        });
        return command;
    }
}
