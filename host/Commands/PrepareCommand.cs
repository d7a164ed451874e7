using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Endpoints;
using NicHost.Host.Machines;
using NicHost.Host.Topology;
using NicHost.Loops;

namespace NicHost.Host.Commands;

/// <summary>
/// <c>nichost KIND prepare</c>: an administrator makes once what endpoints of that kind need of the host and may not make themselves. What that is
/// says the plugin (<see cref="IHostPreparation"/>), from the same options that its endpoint reads.
/// </summary>
internal static class PrepareCommand
{
    private static readonly CommandHelp Help = new()
    {
        Examples =
        [
            ("nichost dio prepare plugins.json", "makes TAPs, and bridges that are not there, for the user who called sudo"),
            ("nichost dio prepare --user nichost plugins.json", "the same for the user nichost"),
            ("nichost dio prepare --undo plugins.json", "takes back what was made"),
        ],
        ExitCodes = [(ExitCode.Faults, "the topology has faults, or something could not be made")],
    };

    public static Command Build(string kind)
    {
        var topology = new TopologyArguments();
        var plugins = new PluginArguments();
        var undo = new Option<bool>("--undo") { Description = "Take back what an earlier call made." };
        var user = new Option<string?>("--user") { Description = "The user that the host runs as. Default: who called sudo.", HelpName = "NAME|ID" };
        var prepare = new HostCommand("prepare", $"Makes what the topology's {kind} endpoints need and what takes privileges; run it as root.", Help) { undo, user };
        topology.AddTo(prepare);
        plugins.AddTo(prepare);
        prepare.SetAction(result => Run(kind, topology.Source(result), plugins.Read(result), result.GetValue(undo), result.GetValue(user), Console.Out));
        return new HostCommand(kind, $"What {kind} endpoints need of the host.", Help) { prepare };
    }

    internal static int Run(string kind, TopologySource source, PluginChoice plugins, bool undo, string? user, TextWriter output)
    {
        try
        {
            var (topology, _) = SharedOptions.Load(source, plugins);
            var owner = undo ? 0 : UserId(user);
            var nics = topology.Vms.SelectMany(vm => vm.Nics).Where(nic => nic.Endpoint.Kind == kind).ToList();
            if (nics.Count == 0) output.WriteLine($"No NIC of this topology has a {kind} endpoint.");
            // The other way round back: what came last goes first.
            if (undo) nics.Reverse();
            // All of them, whatever becomes of the one before.
            bool[] fine = [.. nics.Select(nic => Run(nic, undo, owner, output))];
            return fine.All(one => one) ? ExitCode.Fine : ExitCode.Faults;
        }
        catch (TopologyException e)
        {
            foreach (var fault in e.Faults) output.WriteLine(fault);
            return ExitCode.Faults;
        }
        catch (IOException e)
        {
            output.WriteLine(e.Message);
            return ExitCode.Faults;
        }
    }

    private static bool Run(NicModel nic, bool undo, uint user, TextWriter output)
    {
        if (nic.Endpoint.Factory is not IHostPreparation preparation)
        {
            output.WriteLine($"{nic.Identity}: {nic.Endpoint.Kind} endpoints need no preparation");
            return true;
        }
        using var scratch = new EventLoop("prepare");
        var context = NicContexts.Endpoint(nic, scratch, NullLoggerFactory.Instance);
        try
        {
            foreach (var line in undo ? preparation.Undo(context) : preparation.Prepare(context, user)) output.WriteLine($"{nic.Identity}: {line}");
            return true;
        }
        catch (IOException e)
        {
            output.WriteLine($"{nic.Identity}: {e.Message}");
            return false;
        }
    }

    private static uint UserId(string? user)
    {
        user ??= Environment.GetEnvironmentVariable("SUDO_USER") ?? throw new IOException("Whose are the TAPs to be? Say so: --user NAME");
        if (uint.TryParse(user, NumberStyles.None, CultureInfo.InvariantCulture, out var id)) return id;
        foreach (var line in File.ReadLines("/etc/passwd").Select(line => line.Split(':')))
        {
            if (line.Length > 2 && line[0] == user && uint.TryParse(line[2], NumberStyles.None, CultureInfo.InvariantCulture, out id)) return id;
        }
        throw new IOException($"There is no user {user} in /etc/passwd. Give the id: --user ID");
    }
}
