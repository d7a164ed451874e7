using System.Diagnostics.CodeAnalysis;
using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>One guest for all tests of changes under it; each leaves the NIC as it found it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit calls IAsyncLifetime.DisposeAsync")]
public abstract class LiveFixture(GuestKind kind) : IAsyncLifetime
{
    private NetnsLab? _lab;
    private WiredBackend? _host;
    private Guest? _guest;

    internal NetnsLab Lab => _lab!;

    internal WiredBackend Host => _host!;

    internal Guest Guest => _guest!;

    /// <summary>What the guest saw of its link: <c>down</c> at its start, <c>up</c> when it was set up.</summary>
    internal string Start { get; private set; } = "";

    public async Task InitializeAsync()
    {
        if (!RealGuestFactAttribute.Enabled)
            return;
        RealGuestFactAttribute.DemandRights();
        _lab = new NetnsLab();
        // The link is down while the VMM starts: it must start all the same.
        var down = new NicWiring { IsLinkUp = false };
        _host = kind == GuestKind.HyperV
            ? new NetVspBackend(_lab, "host", new NetVspSetup { Wiring = down })
            : new VirtioBackend(_lab, "host", mtu: 1500, wiring: down);
        await _host.StartAsync();
        _guest = GuestFixture.MakeGuest(kind, _lab, Path.Combine(_lab.Folder, "guest"), _host.Plug);
        await _guest.BootAsync();
        var seen = await LinkAsync("0down");
        _host.Apply(new NicWiring());
        Start = $"{seen}, {await LinkAsync("1up")}";
        var lease = await _guest.RunAsync("net-up eth0");
        if (lease.Status != 0)
            throw new GuestException($"no lease: {lease.Output}\n--- host\n{_host.Log}\n{_host.Inspect()}\n{_guest.Diagnosis()}");
    }

    /// <summary>Waits until the guest's kernel has the link in a state; carrier and operstate.</summary>
    internal async Task<string> LinkAsync(string state) => (await _guest!.RunAsync(
        $"ip link set eth0 up; cd /sys/class/net/eth0; for i in $(seq 150); do [ $(cat carrier operstate | tr -d '\\n') = {state} ] && break; sleep 0.1; done; cat carrier operstate | tr -d '\\n'")).Output;

    public async Task DisposeAsync()
    {
        if (_guest is not null)
            await _guest.DisposeAsync();
        if (_host is not null)
            await _host.DisposeAsync();
        _lab?.Dispose();
    }
}

public sealed class QemuLive() : LiveFixture(GuestKind.Qemu);

public sealed class UmlLive() : LiveFixture(GuestKind.Uml);

public sealed class HyperVLive() : LiveFixture(GuestKind.HyperV);
