using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>A NIC of two queue pairs in a guest of two processors: both pairs carry traffic.</summary>
[Trait("Category", "RealGuest")]
public sealed class TwoQueuesTests
{
    [RealGuestFact]
    public async Task Both_queue_pairs_carry_the_traffic_of_many_flows()
    {
        RealGuestFactAttribute.DemandRights();
        using var lab = new NetnsLab();
        await using var host = new VirtioBackend(lab, "host", mtu: 1500, queues: 2);
        await host.StartAsync();
        await using var guest = new QemuGuest(lab.Host, Path.Combine(lab.Folder, "guest"), host.Plug, cpus: 2);
        await guest.BootAsync();
        await guest.MustAsync("net-up eth0");
        await guest.MustAsync("ethtool -L eth0 combined 2");
        var sums = await guest.MustAsync(
            """
            for i in 1 2 3 4 5 6 7 8; do curl -sS -m 40 http://10.98.0.2:8080/random/$i/5000000 | sha256sum > /run/sum.$i & done
            wait
            cat /run/sum.*
            """, 90);
        var expected = Enumerable.Range(1, 8).Select(i => $"{TestBytes.Sha256((ulong)i, 5_000_000)}  -");
        Assert.True(expected.SequenceEqual(sums.Split('\n')), $"{sums}\n--- host\n{host.Log}\n{host.Inspect()}\n{guest.Diagnosis()}");

        var counters = await guest.MustAsync("ethtool -S eth0");
        foreach (var name in new[] { "rx_queue_0_packets", "rx_queue_1_packets", "tx_queue_0_packets", "tx_queue_1_packets" })
            Assert.Matches($@"{name}: [1-9]", counters);
    }
}
