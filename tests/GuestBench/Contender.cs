using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.GuestBench;

/// <summary>A way to give one kind of guest its network.</summary>
internal sealed record Contender(string Guest, string Name, Func<NetnsLab, string, Backend?> Backend, Func<NetnsLab, NicPlug>? Plug = null, string Address = "net-up eth0")
{
    private const string Mac = "52:54:00:12:34:56";
    private const string Static = "ip addr add 10.96.0.2/24 dev vec0 && ip link set vec0 up && ip route add default via 10.96.0.1";

    public static IReadOnlyList<Contender> All { get; } =
    [
        new("qemu", ResultTable.Ours, static (lab, name) => new VirtioBackend(lab, name, 1500)),
        new("qemu", "passt", static (lab, name) => new PasstBackend(lab, name, 1500)),
        new("qemu", "libslirp", static (lab, name) => new SlirpBackend(lab, name)),
        new("uml", ResultTable.Ours, static (lab, name) => new VirtioBackend(lab, name, 1500)),
        new("uml", "kernel tap", static (_, _) => null, MakeTap, Static),
    ];

    public async Task<Session> StartAsync(NetnsLab lab, string name)
    {
        var backend = Backend(lab, name);
        if (backend is not null) await backend.StartAsync();
        var plug = backend?.Plug ?? Plug!(lab);
        var folder = Path.Combine(lab.Folder, $"guest-{name}");
        Guest guest = Guest == "qemu" ? new QemuGuest(lab.Host, folder, plug) : new UmlGuest(lab.Host, folder, plug);
        var session = new Session(guest, backend);
        try
        {
            await guest.BootAsync();
            await guest.MustAsync(Address, 40);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
        return session;
    }

    private static NicPlug MakeTap(NetnsLab lab)
    {
        const string Tap = "bench0";
        if (!lab.Host.Ip("-o link").Contains(Tap, StringComparison.Ordinal))
        {
            lab.Host.Ip($"tuntap add {Tap} mode tap");
            lab.Host.Ip($"addr add 10.96.0.1/24 dev {Tap}");
            lab.Host.Ip($"link set {Tap} up");
        }
        return new NicPlug(NicTransport.Tap, Tap, Mac);
    }
}

/// <summary>A booted guest and what serves it.</summary>
internal sealed record Session(Guest Guest, Backend? Backend) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Guest.DisposeAsync();
        if (Backend is not null) await Backend.DisposeAsync();
    }
}
