using System.CommandLine;
using NicHost.Host.Completion;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary>What a command line says about plugins.</summary>
internal sealed class PluginArguments
{
    private readonly Option<string[]> _roots = new("--plugins")
    {
        Description = "A plugin root; may be given several times. They come before those of the topology.",
        HelpName = "ROOT",
        DefaultValueFactory = _ => [],
        CompletionSources = { PathNames.Folders },
    };

    private readonly Option<bool> _allowWritable = new("--allow-writable-plugins")
    {
        Description = "Take plugins also from folders that others than root and the host's user may write to.",
    };

    /// <summary>Makes a command take them.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_roots);
        command.Options.Add(_allowWritable);
    }

    public PluginChoice Read(ParseResult result) => new(result.GetValue(_roots)!, result.GetValue(_allowWritable));
}

/// <summary>What the user wants of plugins, before a topology has its say.</summary>
internal sealed record PluginChoice(IReadOnlyList<string> Roots, bool AllowWritable)
{
    public static PluginChoice None { get; } = new([], false);

    public PluginSettings Settings() => new(PluginRoots.Resolve(Roots, [], ".")) { AllowWritable = AllowWritable };

    /// <summary>With a topology, which is checked by its plugins only later.</summary>
    public PluginSettings Settings(TopologyFiles files) => new(PluginRoots.Resolve(Roots, files.PluginRoots, "/"))
    {
        AllowWritable = AllowWritable || files.Settings.AllowWritablePlugins,
        Unloadable = files.Settings.Unloadable,
    };
}
