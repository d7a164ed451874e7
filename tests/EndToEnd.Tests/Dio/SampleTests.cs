using NicHost.EndToEnd.Tests.Lab;
using NicHost.Probe.Stack;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>The samples of docs/dio.md as they stand, set up and taken back by the commands of that page.</summary>
[Trait("Category", "RealGuest")]
public sealed class SampleTests
{
    private static readonly Ip s_host = Ip.Parse("192.168.78.1");

    [RealGuestFact]
    public async Task Prepared_bridge_serves_its_VMs_with_dnsmasq_and_is_taken_back_whole()
    {
        RealGuestFactAttribute.DemandRights();
        using var world = new DioWorld();
        var before = world.A.Links();
        await using var host = new DioBackend(world.A, "bridge-prepared.json");
        const string chapter = "One host, addresses from dnsmasq";
        var told = world.A.Run(Handbook.Commands(chapter, "set-up"));
        Assert.Contains("web/eth0: made TAP nh-web", told, StringComparison.Ordinal);
        await host.StartAsync();
        using (var web = new Station(host, "web"))
        using (var db = new Station(host, "db"))
        {
            var (first, second) = (web.AskForLease(), db.AskForLease());
            Assert.Equal(s_host, first.Server);
            Assert.NotEqual(first.Address, second.Address);
            Assert.True(web.Pings(second.Address, 1500) && db.Pings(first.Address, 1500) && web.Pings(s_host, 1500));
            web.Send(db, 16 << 20);
        }

        host.Signal(Native.SigTerm);
        Assert.Equal(0, await host.ExitAsync(TimeSpan.FromSeconds(20)));
        world.A.Run(Handbook.Commands(chapter, "undo"));
        Assert.Equal(before, world.A.Links());
    }

    [RealGuestFact]
    public async Task Two_hosts_over_VXLAN_have_one_network_with_one_server_of_addresses()
    {
        RealGuestFactAttribute.DemandRights();
        using var world = new DioWorld();
        await using var first = new DioBackend(world.A, "vxlan-a.json");
        await using var second = new DioBackend(world.B, "vxlan-b.json");
        world.A.Run(Handbook.Commands("Two hosts over VXLAN, the first", "set-up"));
        world.B.Run(Handbook.Commands("Two hosts over VXLAN, the second", "set-up"));
        await first.StartAsync();
        await second.StartAsync();
        using var web = new Station(first, "web", mtu: 1450);
        using var far = new Station(second, "far", mtu: 1450);
        var (near, lease) = (web.AskForLease(), far.AskForLease());
        Assert.Equal((s_host, 1450), (lease.Server, lease.Mtu));
        // The longest that the cable takes with 50 bytes around it.
        Assert.True(web.Pings(lease.Address, 1450) && far.Pings(near.Address, 1450) && far.Pings(s_host, 1450));
        web.Send(far, 16 << 20);
        far.Send(web, 16 << 20);
    }

    [Theory]
    [InlineData("One host, addresses from dnsmasq", "bridge-prepared.json")]
    [InlineData("Two hosts over VXLAN, the first", "vxlan-a.json")]
    [InlineData("Two hosts over VXLAN, the second", "vxlan-b.json")]
    [InlineData("Open vSwitch", "openvswitch.json")]
    public void Chapter_runs_its_sample(string chapter, string sample) => Assert.Equal($"nichost run samples/{sample}", Handbook.Commands(chapter, "run"));
}
