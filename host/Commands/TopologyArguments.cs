using System.CommandLine;
using NicHost.Host.Completion;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary>The files and folders of a topology on a command line.</summary>
internal sealed class TopologyArguments
{
    private readonly Argument<string[]> _files = new("FILES")
    {
        Description = $"Topology files, or folders for all *.json in them. Default: {CommandLine.DefaultTopology}.",
        Arity = ArgumentArity.ZeroOrMore,
        CompletionSources = { PathNames.Topologies },
    };

    private readonly Option<string[]> _more = new("--topology")
    {
        Description = "One more file or folder; may be given several times.",
        HelpName = "FILE",
        CompletionSources = { PathNames.Topologies },
    };

    /// <summary>Makes a command take them.</summary>
    public void AddTo(Command command)
    {
        SharedOptions.RefuseDashes(_files);
        command.Arguments.Add(_files);
        command.Options.Add(_more);
    }

    /// <summary>What the user wrote; the default when that is nothing.</summary>
    public IReadOnlyList<string> Paths(ParseResult result)
    {
        string[] paths = [.. result.GetValue(_files) ?? [], .. result.GetValue(_more) ?? []];
        return paths.Length > 0 ? paths : [CommandLine.DefaultTopology];
    }

    public TopologySource Source(ParseResult result) => new(Paths(result));
}
