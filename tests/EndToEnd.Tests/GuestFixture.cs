using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>One lab, one host, one booted guest with its lease taken: shared by the checks of a test class.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit calls IAsyncLifetime.DisposeAsync")]
public abstract class GuestFixture(GuestKind kind, int mtu) : IAsyncLifetime
{
    private NetnsLab? _lab;
    private Backend? _backend;
    private Guest? _guest;

    public int Mtu => mtu;

    internal NetnsLab Lab => _lab ?? throw new InvalidOperationException("the lab was not set up");

    internal Backend Backend => _backend ?? throw new InvalidOperationException("the host was not started");

    internal Guest Guest => _guest ?? throw new InvalidOperationException("the guest was not booted");

    /// <summary>What the DHCP client was told, option by option.</summary>
    internal IReadOnlyDictionary<string, string> Lease { get; private set; } = new Dictionary<string, string>();

    internal TimeSpan BootTime { get; private set; }

    public async Task InitializeAsync()
    {
        if (!RealGuestFactAttribute.Enabled)
            return;
        RealGuestFactAttribute.DemandRights();
        _lab = new NetnsLab();
        _backend = kind == GuestKind.HyperV ? new NetVspBackend(_lab, "host", new NetVspSetup(mtu)) : MakeBackend(_lab, "host", mtu);
        await _backend.StartAsync();
        _guest = MakeGuest(kind, _lab, Path.Combine(_lab.Folder, "guest"), _backend.Plug);
        var begin = Stopwatch.GetTimestamp();
        await _guest.BootAsync();
        BootTime = Stopwatch.GetElapsedTime(begin);
        var lease = await _guest.RunAsync("net-up eth0", 30);
        if (lease.Status != 0)
            throw new GuestException($"no lease: {lease.Output}\n--- host\n{_backend.Log}\n{_guest.Diagnosis()}");
        // With AI_ADDRCONFIG no name has an IPv6 address before the guest has one.
        var v6 = await _guest.RunAsync("for i in $(seq 100); do ip -6 -o address show dev eth0 scope global | grep -v tentative | grep -q inet6 && exit 0; sleep 0.1; done; ip address; exit 1", 30);
        if (v6.Status != 0)
            throw new GuestException($"no IPv6 address: {v6.Output}\n--- host\n{_backend.Log}\n{_guest.Diagnosis()}");
        Lease = lease.Output.Split('\n').Select(l => l.Split('=', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1]);
    }

    public async Task DisposeAsync()
    {
        if (_guest is not null)
            await _guest.DisposeAsync();
        if (_backend is not null)
            await _backend.DisposeAsync();
        _lab?.Dispose();
    }

    internal static Backend MakeBackend(NetnsLab lab, string name, int mtu) =>
        Environment.GetEnvironmentVariable("NICHOST_TEST_BACKEND") switch
        {
            null or "" or "nichost" => new VirtioBackend(lab, name, mtu),
            "slirp" => new SlirpBackend(lab, name),
            "passt" => new PasstBackend(lab, name, mtu),
            var other => throw new InvalidOperationException($"NICHOST_TEST_BACKEND={other}: nichost, passt or slirp"),
        };

    internal static Guest MakeGuest(GuestKind kind, NetnsLab lab, string folder, NicPlug plug) =>
        kind switch
        {
            GuestKind.Qemu => new QemuGuest(lab.Host, folder, plug),
            GuestKind.HyperV => new HyperVGuest(lab.Host, folder, plug),
            _ => new UmlGuest(lab.Host, folder, plug),
        };
}

public enum GuestKind
{
    Qemu,
    Uml,
    HyperV,
}
