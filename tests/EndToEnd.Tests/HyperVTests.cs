using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>The kernel's own hv_vmbus and hv_netvsc, unchanged, on our VMBus: two processors, two channels, and all that an administrator does.</summary>
[Trait("Category", "RealGuest")]
public sealed class HyperVTests
{
    private const string Traffic =
        """
        curl -s -m 20 http://10.98.0.2:8080/random/5/500000000 > /dev/null 2>&1 &
        cat /dev/zero | nc 10.98.0.2 7002 > /dev/null 2>&1 &
        sleep 1
        """;

    private const string EndTraffic = "kill $(jobs -p) 2>/dev/null; true";

    [RealGuestFact]
    public async Task Card_survives_all_that_an_administrator_does_to_it()
    {
        await using var lab = await HyperVSetting.BootAsync(new NetVspSetup(Mtu: 65520, Queues: 2), cpus: 2);
        await lab.WorksAsync();
        await BothChannelsCarryAsync(lab);
        await AddressIsTheGuestsChoiceAsync(lab);
        foreach (var mtu in new[] { 576, 1280, 1500, 4000, 9000, 9216, 65520 }) await lab.WorksAsync($"MTU {mtu}", mtu);
        foreach (var step in new[]
                 {
                     "ip link set eth0 down; ip link set eth0 up",
                     "ethtool -L eth0 combined 1",
                     "ethtool -L eth0 combined 2",
                     "ethtool -K eth0 tso off; ethtool -K eth0 lro on",
                     "ethtool -K eth0 tx off rx off lro off; ethtool -K eth0 tx on rx on tso on",
                     "ethtool -K eth0 sg off; ethtool -K eth0 sg on tso on",
                     "ip link set eth0 promisc on; ip link set eth0 allmulticast on; ip link set eth0 allmulticast off; ip link set eth0 promisc off",
                     "ethtool -G eth0 rx 128 tx 32",
                     "ethtool -N eth0 rx-flow-hash udp4 sdfn",
                     "ethtool -X eth0 weight 1 3",
                     """
                     device=$(ls /sys/bus/vmbus/devices)
                     echo $device > /sys/bus/vmbus/drivers/hv_netvsc/unbind
                     echo $device > /sys/bus/vmbus/drivers/hv_netvsc/bind
                     """,
                     $"{Traffic}\nip link set eth0 mtu 3000; ip link set eth0 mtu 1500; {EndTraffic}",
                     $"{Traffic}\nethtool -L eth0 combined 1; ethtool -L eth0 combined 2; {EndTraffic}",
                     $"{Traffic}\nrmmod hv_netvsc; modprobe hv_netvsc; {EndTraffic}",
                 })
        {
            await lab.MustAsync(step, 60);
            await lab.WorksAsync(step);
        }
        await lab.KernelIsContentAsync();
    }

    /// <summary>The card takes another address and its own again. The NAT serves nobody but the topology's address: it sees another station.</summary>
    private static async Task AddressIsTheGuestsChoiceAsync(HyperVSetting lab)
    {
        await lab.MustAsync("ip link set eth0 down; ip link set eth0 address 52:54:00:aa:bb:cc; ip link set eth0 up");
        Assert.Matches(@"rndis\s(.*\s)*?\s+mac: 52:54:00:aa:bb:cc", lab.Host.Inspect());
        await lab.MustAsync($"ip link set eth0 down; ip link set eth0 address {lab.Host.Plug.Mac}; ip link set eth0 up");
        await lab.WorksAsync("its own address again");
    }

    /// <summary>Many flows, both channels; then the guest's table sends all of them to one, and back, while they run.</summary>
    private static async Task BothChannelsCarryAsync(HyperVSetting lab)
    {
        var sums = await lab.MustAsync(
            """
            for i in 1 2 3 4 5 6 7 8; do curl -sS -m 60 http://10.98.0.2:8080/random/$i/5000000 | sha256sum > /run/sum.$i & done
            sleep 0.3
            ethtool -X eth0 weight 0 1
            sleep 0.3
            ethtool -X eth0 weight 1 0
            sleep 0.3
            ethtool -X eth0 equal 2
            wait
            cat /run/sum.*
            """, 90);
        Assert.Equal(Enumerable.Range(1, 8).Select(i => $"{TestBytes.Sha256((ulong)i, 5_000_000)}  -"), sums.Split('\n'));
        var counters = await lab.MustAsync("ethtool -S eth0");
        foreach (var name in new[] { "rx_queue_0_packets", "rx_queue_1_packets", "tx_queue_0_packets", "tx_queue_1_packets" })
            Assert.Matches($@"{name}: [1-9]", counters);
    }
}
