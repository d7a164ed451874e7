using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>The kernel's own hv_vmbus and hv_netvsc, unchanged, on our VMBus.</summary>
[Trait("Category", "RealGuest")]
public sealed class HyperVTests
{
    private const string Fetch = "curl -sS -m 40 http://10.98.0.2:8080/random/5/5000000 | sha256sum";

    [RealGuestFact]
    public async Task Card_survives_all_that_an_administrator_does_to_it()
    {
        await using var lab = new Setting(new NetVspSetup(Mtu: 9000, Queues: 2), cpus: 2);
        var guest = await lab.BootAsync();
        await WorksAsync(lab);
        foreach (var step in new[]
                 {
                     "ip link set eth0 down; ip link set eth0 up",
                     "ip link set eth0 mtu 576",
                     "ip link set eth0 mtu 9000",
                     "ip link set eth0 mtu 1500",
                     "ethtool -L eth0 combined 1",
                     "ethtool -L eth0 combined 2",
                     "ethtool -K eth0 tso off; ethtool -K eth0 lro on",
                     "ethtool -K eth0 tx off rx off lro off; ethtool -K eth0 tx on rx on tso on",
                     "ip link set eth0 promisc on; ip link set eth0 promisc off",
                     "ethtool -G eth0 rx 1024 tx 32",
                     """
                     device=$(ls /sys/bus/vmbus/devices)
                     echo $device > /sys/bus/vmbus/drivers/hv_netvsc/unbind
                     echo $device > /sys/bus/vmbus/drivers/hv_netvsc/bind
                     """,
                     """
                     curl -s -m 20 http://10.98.0.2:8080/random/5/500000000 > /dev/null 2>&1 &
                     cat /dev/zero | nc 10.98.0.2 7002 > /dev/null 2>&1 &
                     sleep 1
                     rmmod hv_netvsc; modprobe hv_netvsc
                     kill $(jobs -p) 2>/dev/null
                     true
                     """,
                 })
        {
            await guest.MustAsync(step, 60);
            await WorksAsync(lab, step);
        }
        Assert.DoesNotMatch("BUG|WARNING|Call Trace|Oops", await guest.MustAsync("dmesg"));
    }

    private static async Task WorksAsync(Setting lab, string after = "boot")
    {
        var result = await lab.Guest.RunAsync($"net-up eth0 > /run/lease || {{ cat /run/lease; exit 1; }}; {Fetch}", 60);
        Assert.True(result.Output.Contains(TestBytes.Sha256(5, 5_000_000), StringComparison.Ordinal),
            $"after {after}: {result.Output}\n--- host\n{lab.Host.Log}\n{lab.Host.Inspect()}\n{lab.Guest.Diagnosis()}\n{(await lab.Guest.RunAsync("dmesg | tail -40")).Output}");
    }

    /// <summary>A lab, a host and a guest.</summary>
    private sealed class Setting(NetVspSetup setup, int cpus = 1) : IAsyncDisposable
    {
        private NetnsLab? _lab;

        public NetVspBackend Host { get; private set; } = null!;

        public HyperVGuest Guest { get; private set; } = null!;

        public async Task<HyperVGuest> BootAsync()
        {
            RealGuestFactAttribute.DemandRights();
            _lab = new NetnsLab();
            Host = new NetVspBackend(_lab, "host", setup);
            await Host.StartAsync();
            Guest = new HyperVGuest(_lab.Host, Path.Combine(_lab.Folder, "guest"), Host.Plug, cpus);
            await Guest.BootAsync();
            return Guest;
        }

        public async ValueTask DisposeAsync()
        {
            if (Guest is not null) await Guest.DisposeAsync();
            if (Host is not null) await Host.DisposeAsync();
            _lab?.Dispose();
        }
    }
}
