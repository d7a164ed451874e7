using System.Diagnostics.CodeAnalysis;
using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>What happens to a NIC when its driver, its VMM or its host goes and comes. Each test has its own host and guest.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit calls IAsyncLifetime.DisposeAsync")]
[Trait("Category", "RealGuest")]
public abstract class LifecycleTests(GuestKind kind) : IAsyncLifetime
{
    private const string FetchFive = "curl -sS -m 20 http://10.98.0.2:8080/random/5/5000000 | sha256sum";
    private readonly List<Guest> _guests = [];
    private NetnsLab? _lab;
    private Backend? _host;

    private Backend Host => _host!;

    public async Task InitializeAsync()
    {
        if (!RealGuestFactAttribute.Enabled)
            return;
        RealGuestFactAttribute.DemandRights();
        _lab = new NetnsLab();
        _host = GuestFixture.MakeBackend(_lab, "host", 1500);
        await _host.StartAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var guest in _guests)
            await guest.DisposeAsync();
        if (_host is not null)
            await _host.DisposeAsync();
        _lab?.Dispose();
    }

    [RealGuestFact]
    public async Task Driver_unbound_and_bound_again_has_its_network_back()
    {
        var guest = await BootAsync();
        for (var round = 0; round < 3; round++)
        {
            await guest.MustAsync(
                """
                cd /sys/bus/virtio/drivers/virtio_net
                device=$(basename $(readlink /sys/class/net/eth0/device))
                echo $device > unbind && [ ! -e /sys/class/net/eth0 ] && echo $device > bind
                """);
            await WorksAsync(guest);
        }
    }

    [RealGuestFact]
    public async Task Driver_unloaded_and_loaded_again_has_its_network_back()
    {
        var guest = await BootAsync();
        await guest.MustAsync("rmmod virtio_net && [ ! -e /sys/class/net/eth0 ] && modprobe virtio_net");
        await WorksAsync(guest);
    }

    [RealGuestFact]
    public async Task Driver_unbound_under_load_has_its_network_back()
    {
        var guest = await BootAsync();
        await guest.MustAsync(
            """
            curl -s -m 60 http://10.98.0.2:8080/random/5/500000000 > /dev/null 2>&1 &
            cat /dev/zero | nc 10.98.0.2 7002 > /dev/null 2>&1 &
            sleep 1
            cd /sys/bus/virtio/drivers/virtio_net
            device=$(basename $(readlink /sys/class/net/eth0/device))
            echo $device > unbind && echo $device > bind
            kill $(jobs -p) 2>/dev/null
            true
            """);
        await WorksAsync(guest);
    }

    [RealGuestFact]
    public async Task Vmm_killed_and_started_again_is_served_by_the_same_host()
    {
        for (var round = 0; round < 3; round++)
        {
            var guest = await BootAsync();
            // Killed with traffic in both directions.
            await guest.MustAsync(
                """
                curl -s -m 60 http://10.98.0.2:8080/random/5/500000000 > /dev/null 2>&1 &
                cat /dev/zero | nc 10.98.0.2 7002 > /dev/null 2>&1 &
                sleep 0.5
                """);
            await guest.KillAsync();
            Assert.True(Host.IsRunning, Host.Log);
        }

        await BootAsync();
    }

    [RealGuestFact]
    public async Task Host_told_to_stop_takes_the_link_down_and_leaves_nothing()
    {
        var guest = await BootAsync();
        // From the kernel's messages: UML's driver removes the device soon after, and may do so before the kernel tells of the carrier by itself.
        await guest.MustAsync("[ $(cat /sys/class/net/eth0/carrier) = 1 ]; ip monitor link > /run/links 2>&1 & sleep 0.5");
        Host.Signal(Native.SigTerm);
        Assert.Equal(0, await Host.ExitAsync(TimeSpan.FromSeconds(10)));
        Assert.False(File.Exists(Host.Plug.Socket), "the socket is still there");
        await guest.MustAsync("for i in $(seq 30); do grep -qE 'eth0.*(NO-CARRIER|state DOWN)' /run/links && exit 0; sleep 0.1; done; cat /run/links; ip link; exit 1");
    }

    [RealGuestFact]
    public async Task Host_interrupted_without_a_guest_ends_cleanly()
    {
        Host.Signal(Native.SigInt);
        Assert.Equal(0, await Host.ExitAsync(TimeSpan.FromSeconds(10)));
        Assert.False(File.Exists(Host.Plug.Socket), "the socket is still there");
    }

    protected async Task HostStartedAgainGivesTheLinkBackAsync()
    {
        var guest = await BootAsync();
        Host.Signal(Native.SigTerm);
        Assert.Equal(0, await Host.ExitAsync(TimeSpan.FromSeconds(10)));
        await Host.StartAsync();
        await guest.MustAsync("for i in $(seq 100); do [ $(cat /sys/class/net/eth0/carrier) = 1 ] && exit 0; sleep 0.1; done; ip link; exit 1");
        await WorksAsync(guest);
    }

    private async Task<Guest> BootAsync()
    {
        var guest = GuestFixture.MakeGuest(kind, _lab!, Path.Combine(_lab!.Folder, $"guest{_guests.Count}"), Host.Plug);
        _guests.Add(guest);
        await guest.BootAsync();
        await WorksAsync(guest);
        return guest;
    }

    /// <summary>Takes a lease and moves some bytes.</summary>
    private async Task WorksAsync(Guest guest)
    {
        var result = await guest.RunAsync($"net-up eth0 > /run/net-up 2>&1 || {{ cat /run/net-up; exit 1; }}; {FetchFive}", 60);
        Assert.True(result.Status == 0, $"{result.Output}\n--- host\n{Host.Log}\n{Host.Inspect()}\n{guest.Diagnosis()}");
        Assert.StartsWith(TestBytes.Sha256(5, 5_000_000), result.Output, StringComparison.Ordinal);
    }
}

public sealed class QemuLifecycleTests() : LifecycleTests(GuestKind.Qemu)
{
    /// <summary>QEMU comes back by itself (reconnect=1); UML's driver gives the device up for good.</summary>
    [RealGuestFact]
    public Task Host_started_again_gives_the_link_back() => HostStartedAgainGivesTheLinkBackAsync();
}

public sealed class UmlLifecycleTests() : LifecycleTests(GuestKind.Uml);
