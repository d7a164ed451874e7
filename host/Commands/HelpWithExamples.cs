using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace NicHost.Host.Commands;

/// <summary>The library's help, and below it what <see cref="CommandHelp"/> adds.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    private static readonly CommandHelp Root = new()
    {
        Examples =
        [
            ("nichost demo", "shows what it does, without a VMM"),
            ("nichost check plugins.json", "names every fault of a topology"),
            ("nichost run plugins.json", "serves it"),
            ("nichost status", "a line per NIC, from another terminal"),
        ],
        ExitCodes =
        [
            (ExitCode.Faults, "what was asked about has faults: a topology, a plugin, a check"),
            CommandHelp.NoHost,
            (ExitCode.NotStarted, "the host could not start"),
        ],
    };

    /// <summary>Help helps, whatever else is wrong with the line.</summary>
    public override bool ClearsParseErrors => true;

    public static void Install(RootCommand root)
    {
        foreach (var option in root.Options.OfType<HelpOption>())
        {
            option.Action = new HelpWithExamples((HelpAction)option.Action!);
            // On Linux these are paths.
            option.Aliases.Remove("/h");
            option.Aliases.Remove("/?");
        }
    }

    public override int Invoke(ParseResult parseResult)
    {
        help.Invoke(parseResult);
        var added = parseResult.CommandResult.Command is HostCommand command ? command.Help : Root;
        added.Write(parseResult.InvocationConfiguration.Output);
        return ExitCode.Fine;
    }
}
