using System.Diagnostics.CodeAnalysis;
using System.Net;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>
/// The handbook's two hosts over VXLAN. Guests web and db on the first, a station of the kernel (192.168.78.2) on the bridge of the second,
/// dnsmasq on the first: one boot of each guest for all checks of a class.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit calls IAsyncLifetime.DisposeAsync")]
public abstract class DioFixture(int mtu, GuestKind db) : IAsyncLifetime
{
    public const string Station = "192.168.78.2";
    private DioWorld? _world;
    private DioBackend? _host;
    private DioBackend? _otherHost;
    private LabServices? _station;
    private Guest? _web;
    private Guest? _db;

    public int Mtu => mtu;

    internal DioHost A => _world!.A;

    internal DioHost B => _world!.B;

    internal DioBackend Host => _host!;

    /// <summary>The second host's, not started.</summary>
    internal DioBackend OtherHost => _otherHost!;

    internal Guest Web => _web!;

    internal Guest Db => _db!;

    /// <summary>What the guests' DHCP clients were told.</summary>
    internal Dictionary<string, string> WebLease { get; private set; } = [];

    internal Dictionary<string, string> DbLease { get; private set; } = [];

    public async Task InitializeAsync()
    {
        if (!RealGuestFactAttribute.Enabled)
            return;
        RealGuestFactAttribute.DemandRights();
        _world = new DioWorld(mtu + 50);
        _host = Topology(A, "vxlan-a.json");
        if (db == GuestKind.HyperV)
            _host.Nic("db")["device"]!["kind"] = "netvsp";
        _host.Write();
        _otherHost = Topology(B, "vxlan-b.json");
        _otherHost.Write();
        A.Run(WithMtu("Two hosts over VXLAN, the first"));
        B.Run(WithMtu("Two hosts over VXLAN, the second"));
        B.Host.Ip($"address add {Station}/24 dev nhbr0");
        _station = new LabServices(B.Host, IPAddress.Parse(Station));
        await _host.StartAsync();
        _web = new QemuGuest(A.Host, Path.Combine(A.Folder, "web"), _host.PlugOf("web"), cpus: 2);
        _db = db == GuestKind.HyperV ? new HyperVGuest(A.Host, Path.Combine(A.Folder, "db"), _host.PlugOf("db")) : new QemuGuest(A.Host, Path.Combine(A.Folder, "db"), _host.PlugOf("db"));
        await Task.WhenAll(_web.BootAsync(), _db.BootAsync());
        WebLease = await LeaseAsync(_web);
        DbLease = await LeaseAsync(_db);
    }

    public async Task DisposeAsync()
    {
        foreach (var guest in new[] { _web, _db })
        {
            if (guest is not null)
                await guest.DisposeAsync();
        }

        foreach (var host in new[] { _host, _otherHost })
        {
            if (host is not null)
                await host.DisposeAsync();
        }

        _station?.Dispose();
        _world?.Dispose();
    }

    private DioBackend Topology(DioHost on, string sample)
    {
        var backend = new DioBackend(on, sample);
        foreach (var vm in backend.Vms)
            backend.Nic(vm)["mtu"] = mtu;
        return backend;
    }

    private string WithMtu(string chapter) => Handbook.Commands(chapter, "set-up").Replace("1450", $"{mtu}", StringComparison.Ordinal);

    internal async Task<Dictionary<string, string>> LeaseAsync(Guest guest)
    {
        var lease = await guest.RunAsync("net-up eth0", 40);
        if (lease.Status != 0)
            throw new GuestException($"no lease: {lease.Output}\n--- host\n{_host!.Log}\n{_host.Inspect()}\n{A.Links()}\n{guest.Diagnosis()}");
        return lease.Output.Split('\n').Select(l => l.Split('=', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1]);
    }
}

public sealed class DioMtu1500() : DioFixture(1500, GuestKind.Qemu);

public sealed class DioMtu9000() : DioFixture(9000, GuestKind.HyperV);
