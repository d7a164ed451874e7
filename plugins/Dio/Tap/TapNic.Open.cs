using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <content>Opening a TAP by its name, and why that fails.</content>
internal sealed partial class TapNic
{
    private TapDevice OpenNamed(string name, bool create)
    {
        var found = _rtnl!.Find(name);
        if (found is null && !create)
            throw new IOException($"There is no TAP {name}. Make it once for our user: sudo nichost dio prepare, or sudo ip tuntap add {name} mode tap multi_queue vnet_hdr user {Me} && sudo ip link set {name} up; or set \"create\": true of \"nic\".");
        if (found is not null && create)
            throw new IOException($"A TAP {name} was to be made, but there is an interface of that name. Choose another name, or leave out \"create\" to use a TAP that is there.");
        if (found is not null && found.Tun is not { IsTap: true })
            throw new IOException($"{name} is no TAP{(found.Kind.Length > 0 ? $" but of kind {(found.Kind == "tun" ? "TUN" : found.Kind)}" : "")}. Name a TAP.");
        if (found is { Tun: { IsMultiQueue: true, Queues: > 0 } taken }) throw Taken(name, $"{taken.Queues} of its queues are open");
        TapDevice tap;
        try { tap = TapDevice.Open(name, found?.Tun is not { IsMultiQueue: false }, create); }
        catch (LinuxException e) when (e.Errno == Errno.EBUSY) { throw Taken(name, "it is open"); }
        catch (LinuxException e) when (e.Errno == Errno.EPERM && found is null)
        {
            throw new IOException($"Our user may not make TAP {name}: that takes CAP_NET_ADMIN. Let \"sudo nichost dio prepare\" make it once and leave out \"create\", or give the host that capability.", e);
        }
        catch (LinuxException e) when (e.Errno == Errno.EPERM)
        {
            throw new IOException($"TAP {name} belongs to {Owner(found!.Tun!.Value)}, not to our user {Me}. Make it for our user: sudo ip tuntap del {name} mode tap && sudo nichost dio prepare", e);
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.ENODEV or Errno.EACCES)
        {
            throw new IOException($"/dev/net/tun cannot be opened: {e.Message}. Load the module tun, and let our user read and write that file.", e);
        }
        catch (LinuxException e) { throw new IOException($"TAP {name} cannot be opened: {e.Message}", e); }
        try
        {
            SetUp(name, create);
            return tap;
        }
        catch
        {
            tap.Dispose();
            throw;
        }
    }

    /// <summary>A TAP that was made here gets MTU and address; one that was there has to fit. Either is plugged into the switch.</summary>
    private void SetUp(string name, bool create)
    {
        var tap = _rtnl!.Find(name) ?? throw new IOException($"TAP {name} vanished as soon as it was opened.");
        try
        {
            if (create) _rtnl.Change(tap.Index, name, new LinkChange { Mtu = _context.Mtu, Mac = HostMac(_context.Mac.Value) });
        }
        catch (LinuxException e) { throw new IOException($"TAP {name} cannot be set up: {e.Message}", e); }
        if (!create) CheckFits(tap);
        if (_rtnl.Find(name) is { } ready) _switch?.Plug(_rtnl, _made!, ready);
        if (create) _rtnl.Change(tap.Index, name, new LinkChange { Up = true });
    }

    private void CheckFits(LinkInfo tap)
    {
        if (tap.Mtu < _context.Mtu)
            throw new IOException($"An MTU of {_context.Mtu} does not fit: TAP {tap.Name} carries {tap.Mtu}. Lower the NIC's \"mtu\", or: sudo ip link set {tap.Name} mtu {_context.Mtu}");
        if (tap.Mac == _context.Mac.Value)
            throw new IOException($"TAP {tap.Name} has the guest's own address {_context.Mac}: a switch would keep the guest's frames to itself. Give it another: sudo ip link set {tap.Name} address {Text(HostMac(tap.Mac))}");
    }

    /// <summary>
    /// The address of the host's end: the guest's with fe in front. It differs from the guest's own, as it must, and is so high that a bridge does
    /// not take it for itself.
    /// </summary>
    internal static ulong HostMac(ulong guest) => (guest & 0xff_ffff_ffff) | (0xfeUL << 40);

    private static string Text(ulong mac) => string.Join(':', Enumerable.Range(0, 6).Select(i => $"{(byte)(mac >> (40 - (8 * i))):x2}"));

    private static uint Me => ThisProcess.EffectiveUserId;

    private static string Owner(in TunInfo tun) => (tun.Owner, tun.Group) switch
    {
        ({ } user, null) => $"user {user}",
        (null, var group) => $"group {group}",
        ({ } user, { } group) => $"user {user} and group {group}",
    };

    private static IOException Taken(string name, string how) =>
        new($"TAP {name} is taken: {how} in another process. Stop that one, or name another TAP.");
}
