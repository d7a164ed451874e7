using System.CommandLine;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary><c>nichost schema</c>: the JSON schema of topology files, for editors.</summary>
internal static class SchemaCommand
{
    private static readonly CommandHelp Help = new() { Examples = [("nichost schema > topology.schema.json", "for an editor: name the file in \"$schema\"")] };

    public static Command Build()
    {
        var plugins = new PluginArguments();
        var command = new HostCommand("schema", "Prints the JSON schema of topology files, with the options of every loaded plugin.", Help);
        plugins.AddTo(command);
        command.SetAction(result =>
        {
            Console.Out.Write(Render(PluginCatalog.Load(plugins.Read(result).Settings())));
            return ExitCode.Fine;
        });
        return command;
    }

    internal static string Render(PluginCatalog catalog) => JsonText.Page(TopologySchema.Build(catalog));
}
