using System.CommandLine;
using NicHost.Host.Control;
using NicHost.Host.Plugins;

namespace NicHost.Host.Commands;

/// <summary><c>nichost plugins</c>: what was found, what it brings, who uses it, and why something is not used.</summary>
internal static class PluginsCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost plugins", "those of the running host; without one, those that ship with it"),
            ("nichost plugins --rescan", "has the running host look for new ones first"),
            ("nichost plugins --plugins ~/plugins", "those of a root of your own, without asking a host"),
            ("nichost plugins --json | jq '.plugins[] | select(.status == \"refused\")'", "for programs"),
        ],
        ExitCodes = [(ExitCode.Faults, "a plugin cannot be used"), CommandHelp.NoHost],
    };

    public static Command Build()
    {
        var plugins = new PluginArguments();
        var control = SharedOptions.Control();
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var rescan = new Option<bool>("--rescan") { Description = "Have the running host look at every folder again first, also at those that were refused." };
        var command = new HostCommand("plugins", "Lists plugins with their kinds, the VMs that use them, and why one is not used.", Help) { control, json, rescan };
        plugins.AddTo(command);
        command.SetAction((result, cancel) => OperatorQuery.GuardAsync(async () =>
        {
            var report = await FindAsync(plugins.Read(result), result.GetValue(control), result.GetValue(rescan), cancel);
            Console.Out.Write(result.GetValue(json) ? report.ToJson() : report.ToText());
            return report.IsFine ? ExitCode.Fine : ExitCode.Faults;
        }));
        return command;
    }

    private static async Task<PluginReport> FindAsync(PluginChoice plugins, string? control, bool rescan, CancellationToken cancel)
    {
        if (plugins.Roots.Count > 0 && !rescan) return Look(plugins);
        try
        {
            var request = $"{(rescan ? ControlRequests.Rescan : ControlRequests.Plugins)} {ControlRequests.Json}";
            return PluginReport.Parse(await ControlClient.AskAsync(control ?? ControlPath.ForClient, request, cancel));
        }
        // Who names a socket, or wants a host to do something, means a host.
        catch (ControlException e) when (e.IsNoHost && control is null && !rescan)
        {
            return Look(plugins);
        }
    }

    private static PluginReport Look(PluginChoice plugins) => PluginReport.Of(PluginCatalog.Load(plugins.Settings()), []);
}
