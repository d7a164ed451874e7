using System.CommandLine;

namespace NicHost.Host.Commands;

/// <summary>The command line: which commands there are.</summary>
internal static class CommandLine
{
    public const string DefaultTopology = "plugins.json";

    /// <summary>Signals are the run command's own affair: it stops cleanly, however long that takes.</summary>
    public static InvocationConfiguration Invocation { get; } = new() { ProcessTerminationTimeout = null };

    public static RootCommand Build() => new("Gives VMs their network cards: loads device and endpoint plugins and wires them as a topology says.")
    {
        RunCommand.Build(),
        CheckCommand.Build(),
        SchemaCommand.Build(),
        PluginsCommand.Build(),
        InspectCommand.Build(),
        ProbeNicCommand.Build(),
        DemoCommand.Build(),
    };
}
