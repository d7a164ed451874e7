using System.CommandLine;
using NicHost.Host.Completion;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Commands;

/// <summary>Options that several commands have.</summary>
internal static class SharedOptions
{
    public static Option<string> Control() => new("--control")
    {
        CompletionSources = { PathNames.Files },
        Description = "The control socket. Default: $NICHOST_CONTROL, or nichost.sock in $XDG_RUNTIME_DIR, or /tmp/nichost-UID.sock; for a service, /run/nichost/nichost.sock.",
        HelpName = "PATH",
    };

    /// <summary>What of a running host is meant.</summary>
    public static Argument<string?> Target()
    {
        var target = new Argument<string?>("VM[/NIC]") { Description = "A VM, or a NIC as VM/NIC. Left out: everything.", Arity = ArgumentArity.ZeroOrOne };
        RefuseDashes(target);
        target.CompletionSources.Add(RunningNics.VmsAndNics);
        return target;
    }

    public static Option<bool> Json() => new("--json") { Description = "Print JSON." };

    /// <summary>A mistyped option is no file and no VM, though the parser would take it for one.</summary>
    public static void RefuseDashes(Argument argument) => argument.Validators.Add(result =>
    {
        if (result.Tokens.FirstOrDefault(token => token.Value is ['-', ..]) is { } token) result.AddError($"There is no option {token.Value} here.");
    });

    public static (TopologyModel Topology, PluginCatalog Catalog) Load(TopologySource source, PluginChoice plugins)
    {
        var files = source.Load();
        var catalog = PluginCatalog.Load(plugins.Settings(files));
        return (files.Read(catalog), catalog);
    }
}
