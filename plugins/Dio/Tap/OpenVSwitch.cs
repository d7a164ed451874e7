using System.ComponentModel;
using System.Diagnostics;
using NicHost.Dio.Options;
using NicHost.Dio.Shape;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>
/// An Open vSwitch bridge, through ovs-vsctl. Its database keeps a port whose TAP goes. The kernel's datapath takes a TAP of that name back when
/// one returns; the datapath in user space holds on to the one that is gone until the port is made anew.
/// </summary>
internal sealed class OpenVSwitch(DioSettings settings) : ISwitch
{
    private const string Tool = "ovs-vsctl";
    private const int NoSuchBridge = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);
    private int _pluggedTap;
    private string? _stalePort;
    private bool _bridgeWasGone;

    public string Name => settings.Switch!.Name;

    /// <summary>The datapath in user space reads a TAP through a packet socket, which knows nothing of open checksums.</summary>
    public bool TakesWholeFramesOnly { get; private set; }

    public void Ensure(Rtnl rtnl, MadeThings made)
    {
        var found = Run("br-exists", Name);
        if (found.Code == NoSuchBridge) throw new IOException($"There is no Open vSwitch bridge {Name}. Make it once: sudo ovs-vsctl add-br {Name}");
        Check(found, $"look for bridge {Name}");
        TakesWholeFramesOnly = Check(Run("get", "bridge", Name, "datapath_type"), $"look at bridge {Name}").Contains("netdev", StringComparison.Ordinal);
    }

    public void Plug(Rtnl rtnl, MadeThings made, LinkInfo tap)
    {
        var other = Run("port-to-br", tap.Name);
        if (other.Code == 0)
        {
            if (other.Output == Name)
            {
                TakeBack(made, tap);
                return;
            }
            throw new IOException($"{tap.Name} is a port of {other.Output} already. Take it out: sudo ovs-vsctl del-port {tap.Name}; or name {other.Output} as the switch.");
        }
        if (tap.Master != 0) throw new IOException($"{tap.Name} is a port of another switch already. Take it out: sudo ip link set {tap.Name} nomaster");
        if (!settings.MakesPort)
            throw new IOException($"{tap.Name} is not a port of {Name}. Make it one: sudo ovs-vsctl add-port {Name} {tap.Name}; or set \"create\": true of \"port\".");
        Add(made, tap);
    }

    public string? Obstacle(Rtnl rtnl, MadeThings made, LinkInfo tap)
    {
        // Every bridge has an interface of its name, which goes with it, and in user space with the switch itself.
        if (rtnl.Find(Name) is null)
        {
            _bridgeWasGone = true;
            return $"switch {Name} is gone";
        }
        if (_bridgeWasGone && Rejoin(made, tap) is { } why) return why;
        return Stale(tap);
    }

    /// <summary>A bridge of that name is there again, perhaps without the port.</summary>
    private string? Rejoin(MadeThings made, LinkInfo tap)
    {
        if (Run("port-to-br", tap.Name).Output != Name)
        {
            if (!settings.MakesPort) return $"{tap.Name} is not a port of {Name}";
            Add(made, tap);
        }
        _bridgeWasGone = false;
        return null;
    }

    private string? Stale(LinkInfo tap)
    {
        if (_stalePort is not { } stale) return null;
        // Whoever makes the port anew makes the TAP promiscuous, which is news of it: this is asked again. It takes two calls, for the switch sees no
        // change in a port that goes and comes in one.
        var port = Port(tap.Name);
        if (port is null || port == stale)
            return $"Open vSwitch holds on to an earlier TAP {tap.Name} (sudo ovs-vsctl del-port {tap.Name} && sudo ovs-vsctl add-port {Name} {tap.Name})";
        _stalePort = null;
        return null;
    }

    /// <summary>The port is there, perhaps since before its TAP was deleted.</summary>
    private void TakeBack(MadeThings made, LinkInfo tap)
    {
        var isAnother = _pluggedTap != 0 && _pluggedTap != tap.Index;
        _pluggedTap = tap.Index;
        if (!isAnother || !TakesWholeFramesOnly) return;
        if (!settings.MakesPort)
        {
            _stalePort = Port(tap.Name);
            return;
        }
        Check(Run("del-port", Name, tap.Name), $"take {tap.Name} out of {Name}");
        Add(made, tap);
    }

    private static string? Port(string name) => Run("get", "interface", name, "_uuid") is { Code: 0 } found ? found.Output : null;

    private void Add(MadeThings made, LinkInfo tap)
    {
        _pluggedTap = tap.Index;
        var mark = $"{Guid.NewGuid():n}";
        made.Add(new MadeThing(MadeKind.OpenVSwitchPort, tap.Name, Name, mark));
        string[] vlans = [.. VlanColumns(settings.Port)];
        Check(Run(["add-port", Name, tap.Name, .. vlans, "--", "set", "interface", tap.Name, $"external-ids:nichost={mark}"]), $"make {tap.Name} a port of {Name}");
    }

    /// <summary>Undoes a port that was made, if it is still that one.</summary>
    public static string? UndoPort(MadeThing thing)
    {
        var mark = Run("get", "interface", thing.Name, "external-ids:nichost");
        if (mark.Code != 0 || mark.Output.Trim('"') != thing.Mark) return null;
        var gone = Run("--if-exists", "del-port", thing.Of!, thing.Name);
        return gone.Code == 0 ? null : gone.Error;
    }

    /// <summary>ovs-vswitchd.conf.db(5), table Port: tag, trunks, vlan_mode.</summary>
    internal static IEnumerable<string> VlanColumns(PortOptions port)
    {
        if (port.Vlan is { } tag) yield return $"tag={tag}";
        if (port.TaggedVlans.Count > 0) yield return $"trunks={string.Join(',', port.TaggedVlans)}";
        if (port.Vlan is not null && port.TaggedVlans.Count > 0) yield return "vlan_mode=native-untagged";
    }

    private static string Check(Result result, string what) => result.Code == 0 ? result.Output
        : throw new IOException($"Open vSwitch does not let us {what}: {result.Error} Is it running, and may our user reach its database (/run/openvswitch/db.sock)?");

    private static Result Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Tool, ["--timeout=5", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            if (process.WaitForExit(Patience)) return new Result(process.ExitCode, output.Trim(), error.Result.ReplaceLineEndings(" ").Trim());
            process.Kill();
            return new Result(-1, "", $"{Tool} did not end in time.");
        }
        catch (Win32Exception e) { throw new IOException($"{Tool} cannot be run: {e.Message}. Install Open vSwitch (Debian: openvswitch-switch).", e); }
    }

    private sealed record Result(int Code, string Output, string Error);
}
