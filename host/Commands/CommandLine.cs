using System.CommandLine;
using System.CommandLine.Invocation;

namespace NicHost.Host.Commands;

/// <summary>The command line: which commands there are.</summary>
internal static class CommandLine
{
    public const string DefaultTopology = "plugins.json";

    /// <summary>Signals are the run command's own affair: it stops cleanly, however long that takes.</summary>
    public static InvocationConfiguration Invocation { get; } = new() { ProcessTerminationTimeout = null };

    /// <summary>Parses and runs a command line.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var result = Build().Parse(args);
        if (result.Action is not ParseErrorAction error) return await result.InvokeAsync(Invocation);
        // Whoever asks for nothing gets the list; a mistake is easier seen alone.
        error.ShowHelp = args.Length == 0;
        await result.InvokeAsync(Invocation);
        if (!error.ShowHelp) await Console.Error.WriteLineAsync($"Try \"{Path(result.CommandResult.Command)} --help\".");
        return ExitCode.Usage;
    }

    private static string Path(Command command) => command is RootCommand ? "nichost" : $"nichost {command.Name}";

    public static RootCommand Build()
    {
        var root = new RootCommand("Gives VMs their network cards: loads device and endpoint plugins and wires them as a topology says.")
        {
            RunCommand.Build(),
            ApplyCommand.Build(),
            RestartCommand.Build(),
            PassCommand.Build(),
            CheckCommand.Build(),
            ResolveCommand.Build(),
            SchemaCommand.Build(),
            PluginsCommand.Build(),
            StatusCommand.Build(),
            PrepareCommand.Build("dio"),
            InspectCommand.Build(),
            MetricsCommand.Build(),
            ProbeNicCommand.Build(),
            DemoCommand.Build(),
            CompletionCommand.Build(),
        };
        HelpWithExamples.Install(root);
        MakePlain(root);
        return root;
    }

    private static void MakePlain(Command command)
    {
        // A flag is there or not: the word behind it is another argument, also while it is completed.
        foreach (var flag in command.Options.OfType<Option<bool>>()) flag.Arity = ArgumentArity.Zero;
        // Help would list what an argument can be completed to: the files that happen to be there.
        foreach (var argument in command.Arguments) argument.HelpName ??= argument.Name;
        foreach (var sub in command.Subcommands) MakePlain(sub);
    }
}
