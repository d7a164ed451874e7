using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>The host speaks older versions only: the kernel's drivers negotiate down and the network is the same. A boot for each VMBus version.</summary>
[Trait("Category", "RealGuest")]
public sealed class HyperVVersionsTests
{
    [RealGuestTheory]
    [InlineData("5.2", "6.1")]
    [InlineData("5.1", "6")]
    [InlineData("5.0", "5")]
    [InlineData("4.1", "4")]
    [InlineData("4.0", "5")]
    [InlineData("3.0", "2")]
    [InlineData("2.4", "1")]
    public async Task Older_versions_carry_the_same_network(string vmbus, string nvsp)
    {
        await using var lab = await HyperVSetting.BootAsync(new NetVspSetup(Vmbus: vmbus, Nvsp: nvsp));
        var tree = lab.Host.Inspect();
        Assert.Matches($@"vmbusVersion\W+{vmbus}\b", tree);
        Assert.Matches($@"version\W+{nvsp}\s", tree);
        await lab.WorksAsync();
        await lab.MustAsync($"ping -c2 -i0.2 -W3 {NetnsLab.ServerAddress} && nettool udp-echo {NetnsLab.ServerAddress} {LabServices.EchoPort} 1 8000 399 1");
        // The end of a channel is told differently before 4.0 and since.
        await lab.MustAsync("ip link set eth0 mtu 1400 && ip link set eth0 mtu 1500");
        await lab.WorksAsync("change of MTU");
        await lab.MustAsync("rmmod hv_netvsc && [ ! -e /sys/class/net/eth0 ] && modprobe hv_netvsc");
        await lab.WorksAsync("rmmod and modprobe");
        await lab.KernelIsContentAsync();
    }
}
