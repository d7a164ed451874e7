using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary><c>nichost schema</c>: the JSON schema of topology files, for editors.</summary>
internal static class SchemaCommand
{
    private static readonly JsonWriterOptions Format = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly CommandHelp Help = new() { Examples = [("nichost schema > topology.schema.json", "for an editor: name the file in \"$schema\"")] };

    public static Command Build()
    {
        var plugins = SharedOptions.Plugins();
        var command = new HostCommand("schema", "Prints the JSON schema of topology files, with the options of every loaded plugin.", Help) { plugins };
        command.SetAction(result =>
        {
            Console.Out.Write(Render(PluginCatalog.Load(PluginRoots.Resolve(result.GetValue(plugins)!, [], "."))));
            return ExitCode.Fine;
        });
        return command;
    }

    internal static string Render(PluginCatalog catalog)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Format)) TopologySchema.Build(catalog).WriteTo(json);
        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }

}
