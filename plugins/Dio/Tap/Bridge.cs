using System.Security.Cryptography;
using NicHost.Dio.Options;
using NicHost.Dio.Shape;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>The kernel's own bridge.</summary>
internal sealed class Bridge(DioSettings settings, int mtu, string alias = Bridge.Ours) : ISwitch
{
    /// <summary>What bridges carry that go with their last port.</summary>
    public const string Ours = "made by nichost";

    private readonly SwitchOptions _options = settings.Switch!;
    private int _pluggedInto;

    public string Name => _options.Name;

    public bool TakesWholeFramesOnly => false;

    public void Ensure(Rtnl rtnl, MadeThings made)
    {
        if (rtnl.Find(Name) is not { } bridge)
        {
            if (!_options.Create)
                throw new IOException($"There is no switch {Name}. Make it once: sudo ip link add {Name} type bridge && sudo ip link set {Name} up; or set \"create\": true of \"switch\".");
            bridge = Make(rtnl, made);
        }
        if (bridge.Kind != "bridge")
            throw new IOException($"{Name} is no bridge{(bridge.Kind.Length > 0 ? $" but of kind {bridge.Kind}" : "")}. For an Open vSwitch bridge set \"type\": \"openvswitch\".");
        // One that another NIC of this host made goes with its last port, whoever's that is.
        if (bridge.Alias == alias && !made.Things.Any(thing => thing.Kind == MadeKind.Bridge)) made.Add(Record(bridge.Mac));
        if (settings.MakesPort && settings.Port is { } port && (port.Vlan is not null || port.TaggedVlans.Count > 0) && !bridge.FiltersVlans)
            throw new IOException($"{Name} does not tell VLANs apart. Turn that on: sudo ip link set {Name} type bridge vlan_filtering 1; or leave out the port's VLANs.");
        var ports = rtnl.All().Where(link => link.Master == bridge.Index && link.Name != settings.Nic.Name).ToList();
        if (ports.Count > 0 && bridge.Mtu < mtu)
            throw new IOException($"An MTU of {mtu} does not fit: {Name} carries {bridge.Mtu}, the least of its ports ({string.Join(", ", ports.Select(p => $"{p.Name} {p.Mtu}"))}). Lower the NIC's \"mtu\", or raise theirs: {string.Join(" && ", ports.Where(p => p.Mtu < mtu).Select(p => $"sudo ip link set {p.Name} mtu {mtu}"))}");
    }

    public void Plug(Rtnl rtnl, MadeThings made, LinkInfo tap)
    {
        if (rtnl.Find(Name) is not { } bridge) throw new IOException($"There is no switch {Name} any more.");
        if (tap.Master != bridge.Index) Join(rtnl, made, tap, bridge);
        if (settings.MakesPort) SetUpPort(rtnl, tap);
        _pluggedInto = bridge.Index;
    }

    public string? Obstacle(Rtnl rtnl, MadeThings made, LinkInfo tap)
    {
        if (rtnl.Find(Name) is not { } bridge) return $"switch {Name} is gone";
        if (tap.Master != bridge.Index)
        {
            // A bridge that was made anew gets its port back; a port that somebody took out stays out.
            if (!settings.MakesPort || tap.Master != 0 || bridge.Index == _pluggedInto) return $"{tap.Name} is not a port of {Name}";
            try { Plug(rtnl, made, tap); }
            catch (IOException e) { return e.Message; }
        }
        return bridge.IsUp ? null : $"switch {Name} is switched off (sudo ip link set {Name} up)";
    }

    /// <summary>Undoes a bridge that was made, once no port is left.</summary>
    public static string? UndoBridge(Rtnl rtnl, MadeThing thing)
    {
        if (rtnl.Find(thing.Name) is not { Kind: "bridge" } bridge || Mark(bridge.Mac) != thing.Mark) return null;
        // The last to leave removes it.
        if (rtnl.All().Any(link => link.Master == bridge.Index)) return null;
        rtnl.Remove(bridge.Index, bridge.Name);
        return null;
    }

    /// <summary>Undoes a port that was made of a TAP that was there.</summary>
    public static string? UndoPort(Rtnl rtnl, MadeThing thing)
    {
        if (rtnl.Find(thing.Name) is not { Master: > 0 } tap || rtnl.Find(thing.Of!) is not { } bridge || tap.Master != bridge.Index) return null;
        rtnl.Change(tap.Index, tap.Name, new LinkChange { Master = 0 });
        return null;
    }

    private LinkInfo Make(Rtnl rtnl, MadeThings made)
    {
        // Locally administered, and the mark by which the bridge is known again.
        var mac = (0x02UL << 40) | (uint)RandomNumberGenerator.GetInt32(int.MaxValue);
        made.Add(Record(mac));
        try
        {
            rtnl.MakeBridge(Name, mac);
            var bridge = rtnl.Find(Name) ?? throw new IOException($"Bridge {Name} vanished as soon as it was made.");
            rtnl.Change(bridge.Index, Name, new LinkChange { Up = true, Alias = alias });
            if (settings.Port.Vlan is not null || settings.Port.TaggedVlans.Count > 0) rtnl.FilterVlans(bridge.Index, Name);
            foreach (var address in settings.Addresses) rtnl.AddAddress(bridge.Index, Name, address.Address, address.Prefix);
        }
        catch (LinuxException e) when (e.Errno == Errno.EEXIST && rtnl.Find(Name) is { } other && other.Alias == alias)
        {
            // Another NIC was faster.
        }
        catch (LinuxException e) { throw Refused(e, $"make bridge {Name}"); }
        return rtnl.Find(Name) ?? throw new IOException($"Bridge {Name} vanished as soon as it was made.");
    }

    private void Join(Rtnl rtnl, MadeThings made, LinkInfo tap, LinkInfo bridge)
    {
        if (tap.Master != 0)
        {
            var other = rtnl.All().FirstOrDefault(link => link.Index == tap.Master)?.Name ?? $"interface {tap.Master}";
            throw new IOException($"{tap.Name} is a port of {other} already. Take it out: sudo ip link set {tap.Name} nomaster; or name {other} as the switch.");
        }
        if (!settings.MakesPort)
            throw new IOException($"{tap.Name} is not a port of {Name}. Make it one: sudo ip link set {tap.Name} master {Name}; or set \"create\": true of \"port\".");
        if (!settings.Nic.Create) made.Add(new MadeThing(MadeKind.Port, tap.Name, Name, ""));
        try { rtnl.Change(tap.Index, tap.Name, new LinkChange { Master = bridge.Index }); }
        catch (LinuxException e) { throw Refused(e, $"make {tap.Name} a port of {Name}"); }
    }

    private void SetUpPort(Rtnl rtnl, LinkInfo tap)
    {
        var port = settings.Port;
        try
        {
            if (port.Isolated || !port.Learning) rtnl.SetPort(tap.Index, tap.Name, port.Isolated, port.Learning);
            if (port.Vlan is null && port.TaggedVlans.Count == 0) return;
            // The kernel makes every port a member of VLAN 1.
            if (port.Vlan != 1) rtnl.SetVlan(tap.Index, tap.Name, 1, untagged: true, remove: true);
            if (port.Vlan is { } untagged) rtnl.SetVlan(tap.Index, tap.Name, untagged, untagged: true);
            foreach (var tagged in port.TaggedVlans) rtnl.SetVlan(tap.Index, tap.Name, tagged, untagged: false);
        }
        catch (LinuxException e) { throw Refused(e, $"set up the port {tap.Name} of {Name}"); }
    }

    private MadeThing Record(ulong mac) => new(MadeKind.Bridge, Name, null, Mark(mac));

    private static string Mark(ulong mac) => $"{mac:x12}";

    private static IOException Refused(LinuxException e, string what) => e.Errno == Errno.EPERM
        ? new IOException($"Our user may not {what}: that takes CAP_NET_ADMIN. Let \"sudo nichost dio prepare\" do it once, or give the host that capability.", e)
        : new IOException($"Cannot {what}: {e.Message}", e);
}
