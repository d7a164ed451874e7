using NicHost.Contracts.Endpoints;
using NicHost.Dio.Options;
using NicHost.Dio.Shape;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>The privileged part, once: a persistent TAP of the host's user, as a port of its switch. Its records stay until it is taken back.</summary>
internal sealed class Preparation(EndpointContext context, DioSettings settings)
{
    private const string Ours = "prepared by nichost";
    private readonly RecordFolder _records = new(StatePath.Prepared);

    public IReadOnlyList<string> Prepare(uint user)
    {
        if (settings.Nic.Name is not { } name) return ["a TAP is passed to it: nothing to prepare"];
        if (settings.Nic.Create) return [$"it makes {name} itself (\"create\": true): nothing to prepare"];
        var made = new MadeThings(new MadeBy(context.Nic.ToString(), StatePath.Namespace), _records, LinuxUndo.Undo);
        var switchWasThere = false;
        try
        {
            using var rtnl = new Rtnl();
            switchWasThere = settings.Switch is { } named && rtnl.Find(named.Name) is not null;
            var wanted = Switch();
            wanted?.Ensure(rtnl, made);
            if (rtnl.Find(name) is not { } tap) MakeTap(rtnl, made, name, user);
            else if (tap.Tun is not { IsTap: true }) throw new IOException($"{name} is there and is no TAP. Name another.");
            wanted?.Plug(rtnl, made, rtnl.Find(name) ?? throw new IOException($"TAP {name} vanished as soon as it was made."));
        }
        catch (LinuxException e) when (e.Errno is Errno.EPERM or Errno.EACCES)
        {
            made.Undo();
            throw new IOException($"This takes CAP_NET_ADMIN: run it as root ({e.Message}).", e);
        }
        catch
        {
            made.Undo();
            throw;
        }
        // Of a bridge that an earlier call made each NIC keeps a record too, so that it goes with its last port.
        string[] done = [.. made.Things.Where(thing => thing.Kind != MadeKind.Bridge || !switchWasThere).Select(thing => $"made {thing}")];
        made.Keep(inRecord: done.Length > 0);
        return done.Length > 0 ? done : [$"{name} is there: nothing to do"];
    }

    public IReadOnlyList<string> Undo()
    {
        var told = MadeThings.UndoLeftovers(_records, StatePath.Namespace, LinuxUndo.Undo, by => by.Nic == context.Nic.ToString());
        return told.Count > 0 ? told : ["nothing was prepared for it here"];
    }

    private ISwitch? Switch()
    {
        if (settings.Switch is not { } options) return null;
        var making = settings with { Switch = options with { Create = true }, Port = settings.Port with { Create = true } };
        return options.Type == SwitchType.OpenVSwitch ? new OpenVSwitch(making) : new Bridge(making, context.Mtu, Ours);
    }

    private void MakeTap(Rtnl rtnl, MadeThings made, string name, uint user)
    {
        var mac = TapNic.HostMac(context.Mac.Value);
        made.Add(new MadeThing(MadeKind.Tap, name, null, $"{mac:x12}"));
        Linux.Tap.Open(name, TapFlags.VnetHeader | TapFlags.MultiQueue | TapFlags.Exclusive, out var opened).OrThrow($"make TAP {name}");
        using var fd = opened!;
        var link = rtnl.Find(name) ?? throw new IOException($"TAP {name} vanished as soon as it was made.");
        rtnl.Change(link.Index, name, new LinkChange { Mtu = context.Mtu, Mac = mac, Up = true });
        Linux.Tap.ChangeOwner(fd.Raw, user).OrThrow($"give TAP {name} to user {user}");
        // Last: until here it goes by itself when something fails.
        Linux.Tap.MakePersistent(fd.Raw, persistent: true).OrThrow($"make TAP {name} persistent");
    }
}
