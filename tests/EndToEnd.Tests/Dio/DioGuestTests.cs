using System.Text.RegularExpressions;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>Real guests on a bridge of the kernel: their addresses, whom they reach, and that every byte and every kind of frame passes.</summary>
[Trait("Category", "RealGuest")]
public abstract class DioGuestTests(DioFixture fixture)
{
    private const int Bulk = 100 << 20;

    protected DioFixture Fixture => fixture;

    /// <summary>
    /// The least mean size that tells of super-frames, where a packet is much smaller than the 16 KiB that nc writes at once; of large packets, where
    /// it is not.
    /// </summary>
    private double Large => fixture.Mtu < 4000 ? 1.5 * fixture.Mtu : 0.75 * fixture.Mtu;

    private string Web => fixture.WebLease["ip"];

    protected string Db => fixture.DbLease["ip"];

    [RealGuestFact]
    public void Lease_comes_from_whoever_serves_the_network()
    {
        foreach (var lease in new[] { fixture.WebLease, fixture.DbLease })
        {
            Assert.Matches(@"^192\.168\.78\.[5-9]\d$", lease["ip"]);
            Assert.Equal(("192.168.78.1", "192.168.78.1", $"{fixture.Mtu}"), (lease["serverid"], lease["router"], lease["mtu"]));
        }

        Assert.NotEqual(Web, Db);
    }

    [RealGuestFact]
    public async Task Longest_packets_reach_the_other_guest_the_host_and_the_station_behind_VXLAN()
    {
        foreach (var (guest, peer) in new[] { (fixture.Web, Db), (fixture.Db, Web) })
        {
            foreach (var to in new[] { peer, "192.168.78.1", DioFixture.Station })
                await MustAsync(guest, $"ping -c3 -i0.2 -W5 -M do -s {fixture.Mtu - 28} {to}");
        }
    }

    [RealGuestFact]
    public async Task Bulk_between_guests_keeps_every_byte_in_frames_that_stay_large()
    {
        await SendAsync(fixture.Web, fixture.Db, Db, "nh-web", "nh-db");
        await SendAsync(fixture.Db, fixture.Web, Web, "nh-db", "nh-web");
    }

    [RealGuestFact]
    public async Task Bulk_over_VXLAN_keeps_every_byte_and_is_divided_for_a_cable_that_takes_whole_frames_only()
    {
        var (tap, cable) = (fixture.A.Count("nh-web"), fixture.B.Count(DioWorld.Cable));
        await MustAsync(fixture.Web, Make(7));
        var sent = (await MustAsync(fixture.Web, $"nc -N {DioFixture.Station} {LabServices.SinkPort} < /tmp/bulk; rm /tmp/bulk", 150)).Trim();
        Assert.Equal(await MustAsync(fixture.Web, "cat /run/sum.7"), sent);
        (tap, cable) = (fixture.A.Count("nh-web").Since(tap), fixture.B.Count(DioWorld.Cable).Since(cable));
        // From the guest they came as super-frames; whole frames went over the cable: as many as it takes, none of them longer.
        Assert.True(tap.SizeIn > Large, $"{tap}");
        Assert.True(cable.PacketsIn >= Bulk / fixture.Mtu && cable.SizeIn <= fixture.Mtu + 64, $"{cable}");
        // Nobody took a frame on trust: the cable's far end had to sum each, and found none wrong.
        Assert.Equal("0", fixture.B.Host.Exec("bash", "-c", "nstat -asz TcpInCsumErrors | awk '/InCsumErrors/ { print int($2) }'").Trim());

        tap = fixture.A.Count("nh-web");
        Assert.StartsWith(TestBytes.Sha256(8, Bulk), await MustAsync(fixture.Web, $"curl -sS -m 140 http://{DioFixture.Station}:{LabServices.HttpPort}/random/8/{Bulk} | sha256sum", 150), StringComparison.Ordinal);
        // The kernel joined them again for a guest that takes large ones.
        Assert.True(fixture.A.Count("nh-web").Since(tap).BytesOut > Bulk);
    }

    [RealGuestFact]
    public async Task Tagged_frames_keep_their_tag_both_ways()
    {
        foreach (var (guest, address) in new[] { (fixture.Web, "10.5.0.1"), (fixture.Db, "10.5.0.2") })
            await MustAsync(guest, $"modprobe 8021q; ip link add link eth0 name eth0.5 type vlan id 5 && ip addr add {address}/24 dev eth0.5 && ip link set eth0.5 up");
        try
        {
            // What the switch sees is tagged, in both directions.
            await MustAsync(fixture.Db, "tcpdump -Z root -i eth0 -e -n -l -c 6 vlan 5 and icmp > /run/tagged 2>/run/tagged.err & for i in $(seq 100); do grep -q listening /run/tagged.err && exit 0; sleep 0.1; done; cat /run/tagged.err; exit 1");
            await MustAsync(fixture.Web, $"ping -c4 -i0.2 -W5 -M do -s {fixture.Mtu - 28} 10.5.0.2");
            var seen = await MustAsync(fixture.Db, "for i in $(seq 100); do [ $(wc -l < /run/tagged) -ge 6 ] && break; sleep 0.1; done; cat /run/tagged");
            Assert.Equal(3, Regex.Count(seen, @"vlan 5, p 0, ethertype IPv4.*10\.5\.0\.1 > 10\.5\.0\.2: ICMP echo request"));
            Assert.Equal(3, Regex.Count(seen, @"vlan 5, p 0, ethertype IPv4.*10\.5\.0\.2 > 10\.5\.0\.1: ICMP echo reply"));
            await MustAsync(fixture.Db, "nc -l -p 9005 > /tmp/tagged & echo $! > /run/nc.pid; for i in $(seq 100); do ss -tln | grep -q 9005 && exit 0; sleep 0.1; done; exit 1");
            await MustAsync(fixture.Web, "head -c 3000000 /dev/urandom > /tmp/tagged && nc -N 10.5.0.2 9005 < /tmp/tagged", 40);
            Assert.Equal(await MustAsync(fixture.Web, "sha256sum < /tmp/tagged"), await MustAsync(fixture.Db, "while [ -e /proc/$(cat /run/nc.pid) ]; do sleep 0.1; done; sha256sum < /tmp/tagged"));
        }
        finally
        {
            await fixture.Web.RunAsync("ip link del eth0.5");
            await fixture.Db.RunAsync("ip link del eth0.5");
        }
    }

    [RealGuestFact]
    public async Task Broadcast_and_multicast_reach_everybody()
    {
        const string answer = "sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0";
        await MustAsync(fixture.Db, "echo 0 > /proc/sys/net/ipv4/icmp_echo_ignore_broadcasts");
        fixture.A.Run(answer);
        fixture.B.Run(answer);
        foreach (var to in new[] { "-b 192.168.78.255", "-I eth0 224.0.0.1" })
        {
            var answers = await MustAsync(fixture.Web, $"ping -c4 -i0.3 -W3 {to}");
            foreach (var from in new[] { Db, "192.168.78.1", DioFixture.Station })
                Assert.Contains($"from {from}:", answers, StringComparison.Ordinal);
        }

        var neighbours = Regex.Matches(await MustAsync(fixture.Web, "ping -6 -c4 -i0.3 -W3 -I eth0 ff02::1"), "from (fe80:[^ %]*)").Select(m => m.Groups[1].Value).Distinct();
        // Itself, the other guest, both hosts' bridges.
        Assert.True(neighbours.Count() >= 4, string.Join(' ', neighbours));
    }

    private protected async Task<string> MustAsync(Guest guest, string script, int seconds = 60)
    {
        var result = await guest.RunAsync(script, seconds);
        return result.Status == 0 ? result.Output : throw new GuestException(
            $"in the guest, status {result.Status}:\n  {script}\nprinted:\n{result.Output}\n--- host\n{fixture.Host.Log}\n{fixture.Host.Inspect()}\n{fixture.A.Links()}\n{guest.Diagnosis()}");
    }

    private static string Make(int number) => $"head -c {Bulk} /dev/urandom > /tmp/bulk && sha256sum < /tmp/bulk | cut -d' ' -f1 > /run/sum.{number}";

    private async Task SendAsync(Guest from, Guest to, string address, string fromTap, string toTap)
    {
        await MustAsync(to, "rm -f /run/got; nc -l -p 9000 | sha256sum | cut -d' ' -f1 > /run/got & for i in $(seq 100); do ss -tln | grep -q 9000 && exit 0; sleep 0.1; done; exit 1");
        await MustAsync(from, Make(1));
        var (source, target) = (fixture.A.Count(fromTap), fixture.A.Count(toTap));
        await MustAsync(from, $"nc -N {address} 9000 < /tmp/bulk; rm /tmp/bulk", 150);
        Assert.Equal(await MustAsync(from, "cat /run/sum.1"), await MustAsync(to, "for i in $(seq 600); do [ -s /run/got ] && break; sleep 0.1; done; cat /run/got", 70));
        // Each frame that the sender made went through whole, and there were far fewer than the wire would take.
        Assert.True(fixture.A.Count(fromTap).Since(source).SizeIn > Large, $"{fixture.A.Count(fromTap).Since(source)}");
        Assert.True(fixture.A.Count(toTap).Since(target).SizeOut > Large, $"{fixture.A.Count(toTap).Since(target)}");
    }
}

public sealed class DioMtu9000Tests(DioMtu9000 fixture) : DioGuestTests(fixture), IClassFixture<DioMtu9000>;
