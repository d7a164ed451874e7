using System.CommandLine;
using System.Text;
using NicHost.Contracts.Diagnostics;
using NicHost.Host.Plugins;

namespace NicHost.Host.Commands;

/// <summary><c>nichost plugins</c>: what was found, what it brings, and why something is not used.</summary>
internal static class PluginsCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples = [("nichost plugins", "those that ship with the host"), ("nichost plugins --plugins ~/plugins", "those of a root of your own")],
        ExitCodes = [(ExitCode.Faults, "a plugin is not used")],
    };

    public static Command Build()
    {
        var plugins = SharedOptions.Plugins();
        var command = new HostCommand("plugins", "Lists the plugins that are found, with their kinds, and why one is not used.", Help) { plugins };
        command.SetAction(result =>
        {
            var catalog = PluginCatalog.Load(PluginRoots.Resolve(result.GetValue(plugins)!, [], "."));
            Console.Out.Write(Render(catalog));
            return catalog.Plugins.All(p => p.Status == PluginStatus.Active) ? ExitCode.Fine : ExitCode.Faults;
        });
        return command;
    }

    internal static string Render(PluginCatalog catalog)
    {
        var text = new StringBuilder();
        var width = catalog.Plugins.Max(p => p.ToString().Length);
        foreach (var plugin in catalog.Plugins)
        {
            text.Append(plugin.ToString().PadRight(width)).Append("  ").Append(InspectWriter.CamelCase(plugin.Status.ToString()).PadRight(7)).Append("  ");
            var kinds = plugin.DeviceKinds.Order(StringComparer.Ordinal).Select(k => $"device {k}")
                .Concat(plugin.EndpointKinds.Order(StringComparer.Ordinal).Select(k => $"endpoint {k}"));
            text.Append(plugin.Reason is null ? string.Join(", ", kinds) : $"{plugin.Reason} ({plugin.Path})").Append('\n');
            if (plugin.Reason is not null) continue;
            foreach (var note in plugin.Notes) text.Append(' ', width + 11).Append(note).Append('\n');
        }
        return text.ToString();
    }
}
