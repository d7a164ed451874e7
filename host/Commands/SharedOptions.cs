using System.CommandLine;
using System.Text.Json;
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

    public static Argument<string> Topology()
    {
        var file = new Argument<string>("FILE") { Description = "The topology file.", DefaultValueFactory = _ => CommandLine.DefaultTopology };
        RefuseDashes(file);
        return file;
    }

    /// <summary>A mistyped option is no file and no VM, though the parser would take it for one.</summary>
    public static void RefuseDashes(Argument argument) => argument.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: ['-', ..] } token]) result.AddError($"There is no option {token.Value} here.");
    });

    public static (TopologyModel Topology, PluginCatalog Catalog) Load(string path, IEnumerable<string> plugins)
    {
        var file = TopologyFile.Open(path);
        var catalog = PluginCatalog.Load(PluginSettings(plugins, file));
        return (TopologyReader.Read(file, catalog), catalog);
    }

    /// <summary>From the command line and from a topology, which is read by its plugins only later.</summary>
    public static PluginSettings PluginSettings(IEnumerable<string> plugins, TopologyFile file) =>
        new(PluginRoots.Resolve(plugins, file.PluginRoots, file.BaseDirectory))
        {
            AllowWritable = IsTrue(file.Root, "allowWritablePlugins"),
            Unloadable = IsTrue(file.Root, "unloadable"),
        };

    private static bool IsTrue(JsonElement root, string member) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.True;
}
