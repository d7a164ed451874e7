using System.Globalization;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>The same with virtio on both sides, and what happens to TAP, bridge, link and host under the guests. Each leaves the network as it found it.</summary>
public sealed class DioMtu1500Tests(DioMtu1500 fixture) : DioGuestTests(fixture), IClassFixture<DioMtu1500>
{
    private const string MakeTap = "ip tuntap add nh-web mode tap multi_queue vnet_hdr user root; ip link set nh-web master nhbr0 up";

    [RealGuestFact]
    public async Task Tap_that_is_switched_off_shows_in_the_guest_as_a_link_that_is_down()
    {
        Fixture.A.Run("ip link set nh-web down");
        await SeesDownAsync("web/eth0", Fixture.Web, "TAP nh-web is switched off");
        Fixture.A.Run("ip link set nh-web up");
        await SeesUpAsync();
    }

    [RealGuestFact]
    public async Task Link_that_the_topology_sets_down_shows_on_both_sides()
    {
        Fixture.Host.Nic("web")["link"] = "down";
        Fixture.Host.Write();
        Fixture.Host.Apply();
        Assert.Equal("0down", await LinkAsync(Fixture.Web, "0down"));
        Assert.Contains("NO-CARRIER", Fixture.A.Host.Ip("link show nh-web"), StringComparison.Ordinal);
        Fixture.Host.Nic("web")["link"] = "up";
        Fixture.Host.Write();
        Fixture.Host.Apply();
        await SeesUpAsync();
        Assert.DoesNotContain("NO-CARRIER", Fixture.A.Host.Ip("link show nh-web"), StringComparison.Ordinal);
    }

    [RealGuestFact]
    public async Task Tap_that_is_deleted_takes_the_link_down_with_a_reason_and_brings_it_back_when_it_returns()
    {
        Fixture.A.Run("ip link del nh-web");
        await SeesDownAsync("web/eth0", Fixture.Web, "TAP nh-web is gone");
        Fixture.A.Run(MakeTap);
        await SeesUpAsync();
    }

    [RealGuestFact]
    public async Task Bridge_that_is_deleted_takes_the_links_down_and_brings_them_back_when_it_returns()
    {
        Fixture.A.Run("ip link del nhbr0");
        await SeesDownAsync("web/eth0", Fixture.Web, "switch nhbr0 is gone");
        await SeesDownAsync("db/eth0", Fixture.Db, "switch nhbr0 is gone");
        Fixture.A.Run("""
            ip link add nhbr0 type bridge
            for port in nh-web nh-db nhvx0; do ip link set $port master nhbr0; done
            ip address add 192.168.78.1/24 dev nhbr0
            ip link set nhbr0 up
            """);
        await SeesUpAsync();
        Assert.Equal("1up", await LinkAsync(Fixture.Db, "1up"));
    }

    [RealGuestFact]
    public async Task Host_that_is_killed_and_started_anew_has_its_guests_back_on_the_same_TAPs()
    {
        var index = Index("nh-web");
        Fixture.Host.Signal(Native.SigKill);
        await Fixture.Host.ExitAsync(TimeSpan.FromSeconds(10));
        await Fixture.Host.DisposeAsync();
        Assert.Contains("NO-CARRIER", Fixture.A.Host.Ip("link show nh-web"), StringComparison.Ordinal);
        await Fixture.Host.StartAsync();
        await SeesUpAsync();
        Assert.Equal(index, Index("nh-web"));
    }

    [RealGuestFact]
    public async Task Guest_of_two_queues_has_two_of_the_TAP_and_both_carry()
    {
        await MustAsync(Fixture.Web, "ethtool -L eth0 combined 2");
        await Wait.UntilAsync(() => Fixture.A.Host.Ip("-d link show nh-web").Contains("numqueues 2", StringComparison.Ordinal), TimeSpan.FromSeconds(20), () => Fixture.A.Host.Ip("-d link show nh-web"));
        var sums = await MustAsync(Fixture.Web,
            $"""
            for i in 1 2 3 4 5 6 7 8; do curl -sS -m 40 http://{DioFixture.Station}:{LabServices.HttpPort}/random/$i/3000000 | sha256sum > /run/sum.$i & done
            wait
            cat /run/sum.?
            """, 90);
        Assert.Equal(Enumerable.Range(1, 8).Select(i => $"{TestBytes.Sha256((ulong)i, 3_000_000)}  -"), sums.Split('\n'));
        var counters = await MustAsync(Fixture.Web, "ethtool -S eth0");
        foreach (var name in new[] { "rx_queue_0_packets", "rx_queue_1_packets", "tx_queue_0_packets", "tx_queue_1_packets" })
            Assert.Matches($@"{name}: [1-9]", counters);
    }

    [RealGuestFact]
    public async Task Guest_of_another_kind_on_the_other_host_is_on_the_same_network()
    {
        await Fixture.OtherHost.StartAsync();
        await using var far = new UmlGuest(Fixture.B.Host, Path.Combine(Fixture.B.Folder, "far"), Fixture.OtherHost.PlugOf("far"));
        await far.BootAsync();
        // From the dnsmasq of the first host, through VXLAN.
        var lease = await Fixture.LeaseAsync(far);
        Assert.Equal("192.168.78.1", lease["serverid"]);
        await MustAsync(Fixture.Web, $"ping -c3 -i0.2 -W5 -M do -s {Fixture.Mtu - 28} {lease["ip"]}");
        await ExchangeAsync(far, Fixture.Web, Fixture.WebLease["ip"]);
        await ExchangeAsync(Fixture.Web, far, lease["ip"]);
    }

    private async Task ExchangeAsync(Guest from, Guest to, string address)
    {
        await MustAsync(to, "rm -f /run/got; nc -l -p 9001 | sha256sum > /run/got & for i in $(seq 100); do ss -tln | grep -q 9001 && exit 0; sleep 0.1; done; exit 1");
        var sent = await MustAsync(from, $"head -c 20000000 /dev/urandom > /tmp/some && nc -N {address} 9001 < /tmp/some && sha256sum < /tmp/some; rm /tmp/some");
        Assert.Equal(sent, await MustAsync(to, "for i in $(seq 300); do [ -s /run/got ] && break; sleep 0.1; done; cat /run/got"));
    }

    private int Index(string nic) => int.Parse(Fixture.A.Host.Exec("cat", $"/sys/class/net/{nic}/ifindex"), CultureInfo.InvariantCulture);

    private async Task SeesDownAsync(string nic, Guest guest, string reason)
    {
        Assert.Equal("0down", await LinkAsync(guest, "0down"));
        Assert.Contains(reason, Fixture.Host.Inspect(nic), StringComparison.Ordinal);
    }

    /// <summary>The link is up, and frames pass both ways.</summary>
    private async Task SeesUpAsync()
    {
        Assert.Equal("1up", await LinkAsync(Fixture.Web, "1up"));
        await MustAsync(Fixture.Web, $"for i in $(seq 20); do ping -c1 -W1 {Db} > /run/ping && ping -c1 -W1 {DioFixture.Station} > /run/ping && exit 0; done; cat /run/ping; exit 1", 90);
    }

    private async Task<string> LinkAsync(Guest guest, string state) => await MustAsync(guest,
        $"cd /sys/class/net/eth0; for i in $(seq 300); do [ $(cat carrier operstate | tr -d '\\n') = {state} ] && break; sleep 0.1; done; cat carrier operstate | tr -d '\\n'");
}
