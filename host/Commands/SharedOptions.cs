using System.CommandLine;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary>Options that several commands have.</summary>
internal static class SharedOptions
{
    public static Option<string[]> Plugins() => new("--plugins")
    {
        Description = "A plugin root; may be given several times. They come before those of the topology.",
        HelpName = "ROOT",
        DefaultValueFactory = _ => [],
    };

    public static Option<string> Control() => new("--control")
    {
        Description = "The control socket. Default: $XDG_RUNTIME_DIR/nichost.sock, or /tmp/nichost-UID.sock.",
        HelpName = "PATH",
    };

    public static Argument<string> Topology() => new("topology")
    {
        Description = "The topology file.",
        HelpName = "FILE",
        DefaultValueFactory = _ => CommandLine.DefaultTopology,
    };

    public static (TopologyModel Topology, PluginCatalog Catalog) Load(string path, IEnumerable<string> plugins)
    {
        var file = TopologyFile.Open(path);
        var catalog = PluginCatalog.Load(PluginRoots.Resolve(plugins, file.PluginRoots, file.BaseDirectory));
        return (TopologyReader.Read(file, catalog), catalog);
    }
}
