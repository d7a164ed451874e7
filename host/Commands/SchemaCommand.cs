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

    public static Command Build()
    {
        var plugins = SharedOptions.Plugins();
        var command = new Command("schema", "Prints the JSON schema of topology files, with the options of every loaded plugin.") { plugins };
        command.SetAction(result =>
        {
            Console.Out.Write(Render(PluginCatalog.Load(PluginRoots.Resolve(result.GetValue(plugins)!, [], "."))));
            return 0;
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
