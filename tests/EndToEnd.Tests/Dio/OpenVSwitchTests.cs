using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>Open vSwitch with its switch in user space, a process of its own in the world of each test.</summary>
[Trait("Category", "RealGuest")]
public sealed class OpenVSwitchTests
{
    private const string Chapter = "Open vSwitch";

    [RealGuestFact]
    public async Task Sample_connects_its_VMs_and_is_taken_back_whole()
    {
        using var world = Start();
        await using var host = new DioBackend(world.A, "openvswitch.json");
        Assert.Contains("made port nh-web of nhovs0", world.A.Run(Handbook.Commands(Chapter, "set-up")), StringComparison.Ordinal);
        await host.StartAsync();
        using (var web = new Station(host, "web"))
        using (var db = new Station(host, "db"))
        {
            var (one, two) = (web.Take("192.168.79.1"), db.Take("192.168.79.2"));
            Assert.True(web.Pings(two, 1500) && db.Pings(one, 1500));
            // The guest makes super-frames with open checksums; this switch takes whole frames only.
            web.Send(db, 16 << 20);
            Assert.Contains("link: up", host.Inspect("web/eth0"), StringComparison.Ordinal);

            // The switch in user space holds on to the TAP that is gone: the port has to be made anew, and not by us, who did not make it.
            world.A.Run("ip link del nh-web");
            await SeesAsync(host, "TAP nh-web is gone");
            world.A.Run("ip tuntap add nh-web mode tap multi_queue vnet_hdr user root; ip link set nh-web up");
            await SeesAsync(host, "Open vSwitch holds on to an earlier TAP nh-web");
            world.A.Run("sudo ovs-vsctl del-port nh-web && sudo ovs-vsctl add-port nhovs0 nh-web");
            await SeesAsync(host, "link: up");
            Assert.True(web.Pings(two, 1500, tries: 30), world.A.Run("ovs-vsctl show"));

            world.A.Run("ovs-vsctl del-br nhovs0");
            await SeesAsync(host, "switch nhovs0 is gone");
            world.A.Run("ovs-vsctl add-br nhovs0 -- set bridge nhovs0 datapath_type=netdev");
            await SeesAsync(host, "nh-web is not a port of nhovs0");
            world.A.Run("ovs-vsctl add-port nhovs0 nh-web; ovs-vsctl add-port nhovs0 nh-db");
            await SeesAsync(host, "link: up");
            Assert.True(web.Pings(two, 1500, tries: 30), world.A.Run("ovs-vsctl show"));
        }

        host.Signal(Native.SigTerm);
        Assert.Equal(0, await host.ExitAsync(TimeSpan.FromSeconds(20)));
        // Made by hand above, so not the preparation's to remove.
        world.A.Run("ovs-vsctl del-port nh-web; ip link del nh-web");
        world.A.Run(Handbook.Commands(Chapter, "undo"));
        Assert.Equal("", world.A.Run("ovs-vsctl list-br"));
        Assert.DoesNotContain("nh-", world.A.Links(), StringComparison.Ordinal);
    }

    [RealGuestFact]
    public async Task Ports_that_the_host_makes_have_their_VLAN_and_go_with_it()
    {
        using var world = Start();
        await using var host = new DioBackend(world.A, "openvswitch.json");
        host.Nic("web")["endpoint"]!["port"] = System.Text.Json.Nodes.JsonNode.Parse("""{ "create": true, "vlan": 5 }""");
        host.Nic("db")["endpoint"]!["port"] = System.Text.Json.Nodes.JsonNode.Parse("""{ "create": true }""");
        host.Write();
        world.A.Run("""
            ovs-vsctl add-br nhovs0 -- set bridge nhovs0 datapath_type=netdev
            for tap in nh-web nh-db; do ip tuntap add $tap mode tap multi_queue vnet_hdr user root; ip link set $tap up; done
            """);
        await host.StartAsync();
        using (var web = new Station(host, "web"))
        using (var db = new Station(host, "db"))
        {
            var (one, two) = (web.Take("192.168.79.1"), db.Take("192.168.79.2"));
            Assert.Equal("5", world.A.Run("ovs-vsctl get port nh-web tag").Trim());
            Assert.False(web.Pings(two, 100, tries: 2));
            world.A.Run("ovs-vsctl set port nh-db tag=5");
            Assert.True(web.Pings(two, 1500) && db.Pings(one, 1500));
            // A port of ours is made anew with its bridge, and with its TAP.
            world.A.Run("ovs-vsctl del-br nhovs0");
            await SeesAsync(host, "switch nhovs0 is gone");
            world.A.Run("ovs-vsctl add-br nhovs0 -- set bridge nhovs0 datapath_type=netdev");
            await Wait.UntilAsync(() => world.A.Run("ovs-vsctl list-ports nhovs0") == "nh-db\nnh-web\n", TimeSpan.FromSeconds(20), () => host.Inspect());
            Assert.Equal("5", world.A.Run("ovs-vsctl get port nh-web tag").Trim());
            world.A.Run("ovs-vsctl set port nh-db tag=5");
            Assert.True(web.Pings(two, 1500, tries: 30), host.Inspect());
            world.A.Run("ip link del nh-web");
            await SeesAsync(host, "TAP nh-web is gone");
            world.A.Run("ip tuntap add nh-web mode tap multi_queue vnet_hdr user root; ip link set nh-web up");
            Assert.True(web.Pings(two, 1500, tries: 30), host.Inspect("web/eth0"));
        }

        host.Signal(Native.SigTerm);
        Assert.Equal(0, await host.ExitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal("", world.A.Run("ovs-vsctl list-ports nhovs0"));
        Assert.Contains("nh-web", world.A.Links(), StringComparison.Ordinal);
    }

    [RealGuestFact]
    public async Task Bridge_that_is_not_there_is_told_and_made_by_hand_is_found()
    {
        using var world = Start();
        await using var host = new DioBackend(world.A, "openvswitch.json");
        world.A.Run("for tap in nh-web nh-db; do ip tuntap add $tap mode tap multi_queue vnet_hdr user root; ip link set $tap up; done");
        var start = host.StartAsync();
        await Wait.UntilAsync(() => host.Log.Contains("There is no Open vSwitch bridge nhovs0. Make it once: sudo ovs-vsctl add-br nhovs0", StringComparison.Ordinal), TimeSpan.FromSeconds(20), () => host.Log);
        world.A.Run("ovs-vsctl add-br nhovs0 -- set bridge nhovs0 datapath_type=netdev");
        await Wait.UntilAsync(() => host.Log.Contains("nh-web is not a port of nhovs0. Make it one: sudo ovs-vsctl add-port nhovs0 nh-web", StringComparison.Ordinal), TimeSpan.FromSeconds(30), () => host.Log);
        world.A.Run("ovs-vsctl add-br other0 -- set bridge other0 datapath_type=netdev; ovs-vsctl add-port other0 nh-web");
        await Wait.UntilAsync(() => host.Log.Contains("nh-web is a port of other0 already. Take it out: sudo ovs-vsctl del-port nh-web", StringComparison.Ordinal), TimeSpan.FromSeconds(30), () => host.Log);
        world.A.Run("ovs-vsctl del-port nh-web; ovs-vsctl add-port nhovs0 nh-web; ovs-vsctl add-port nhovs0 nh-db");
        await start;
    }

    [RealGuestFact]
    public async Task Open_vSwitch_that_does_not_run_is_told()
    {
        RealGuestFactAttribute.DemandRights();
        using var world = new DioWorld();
        await using var host = new DioBackend(world.A, "openvswitch.json", mayConfigure: true);
        host.Nic("web")["endpoint"]!["nic"]!["create"] = true;
        host.Nic("db")["endpoint"]!["nic"]!["create"] = true;
        host.Write();
        var before = world.A.Links();
        var start = host.StartAsync();
        await Wait.UntilAsync(() => host.Log.Contains("Open vSwitch does not let us look for bridge nhovs0", StringComparison.Ordinal), TimeSpan.FromSeconds(20), () => host.Log);
        Assert.Contains("Is it running, and may our user reach its database", host.Log, StringComparison.Ordinal);
        Assert.Equal(before, world.A.Links());
        host.Signal(Native.SigTerm);
        await Assert.ThrowsAsync<InvalidOperationException>(() => start);
    }

    private static Task SeesAsync(DioBackend host, string what) => Wait.UntilAsync(
        () => host.Inspect("web/eth0").Contains(what, StringComparison.Ordinal), TimeSpan.FromSeconds(20), () => host.Inspect("web/eth0"));

    private static DioWorld Start()
    {
        RealGuestFactAttribute.DemandRights();
        var world = new DioWorld();
        try
        {
            world.A.Run("""
                ovsdb-tool create $OVS_DBDIR/conf.db /usr/share/openvswitch/vswitch.ovsschema
                ovsdb-server --detach --no-chdir --pidfile --log-file --remote=punix:$OVS_RUNDIR/db.sock $OVS_DBDIR/conf.db > /dev/null 2>&1
                ovs-vsctl --no-wait init
                ovs-vswitchd --detach --no-chdir --pidfile --log-file unix:$OVS_RUNDIR/db.sock > /dev/null 2>&1
                """);
            return world;
        }
        catch
        {
            world.Dispose();
            throw;
        }
    }
}
