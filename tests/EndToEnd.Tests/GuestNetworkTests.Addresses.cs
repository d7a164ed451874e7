using System.Net;
using System.Text.RegularExpressions;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

public abstract partial class GuestNetworkTests
{
    [RealGuestFact]
    public async Task Dhcp4_lease_has_every_option()
    {
        var lease = _fixture.Lease;
        Assert.Equal("10.0.2.15", lease["ip"]);
        Assert.Equal("24", lease["mask"]);
        Assert.Equal(Gateway, lease["router"]);
        Assert.Equal("10.0.2.3", lease["dns"]);
        Assert.Equal(Gateway, lease["serverid"]);
        Assert.Equal(NetnsLab.SearchDomain, lease["search"]);
        Assert.Equal($"{_fixture.Mtu}", lease["mtu"]);
        var seconds = uint.Parse(lease["lease"], null);
        Assert.InRange(seconds, 60u, uint.MaxValue);
        // T1 and T2 arrive as raw bytes in hexadecimal: renewal before rebinding before the end (RFC 2131 section 4.4.5).
        var (renew, rebind) = (Convert.ToUInt32(lease["opt58"], 16), Convert.ToUInt32(lease["opt59"], 16));
        Assert.True(renew < rebind && rebind < seconds, $"T1 {renew}, T2 {rebind}, lease {seconds}");

        var applied = await GuestMustAsync("ip -4 addr show dev eth0; ip route; cat /etc/resolv.conf");
        Assert.Contains("inet 10.0.2.15/24", applied, StringComparison.Ordinal);
        Assert.Contains($"mtu {_fixture.Mtu} ", applied, StringComparison.Ordinal);
        Assert.Contains($"default via {Gateway} dev eth0", applied, StringComparison.Ordinal);
    }

    [RealGuestFact]
    public async Task Slaac_gives_an_address_and_a_default_route()
    {
        var address = IPAddress.Parse(await Address6Async());
        Assert.True(address.IsIPv6UniqueLocal, $"{address} is not in fc00::/7");
        Assert.StartsWith("fe80:", await Gateway6Async(), StringComparison.Ordinal);
    }

    [RealGuestFact]
    public async Task Dhcp6_gives_an_address_and_name_servers()
    {
        await Address6Async();
        // In the foreground until bound, then ended without releasing the address.
        var text = await GuestMustAsync(
            "rm -f /run/dhcp6; dhclient -6 -1 -sf /usr/bin/dhcp6-script -pf /run/dhclient6.pid -lf /run/dhclient6.leases eth0 2>&1"
            + " || { echo no lease; exit 1; }; kill $(cat /run/dhclient6.pid); cat /run/dhcp6", 40);
        var address = Regex.Match(text, @"new_ip6_address=(\S+)").Groups[1].Value;
        Assert.True(IPAddress.TryParse(address, out var parsed) && parsed.IsIPv6UniqueLocal, text);
        Assert.Matches(@"new_dhcp6_name_servers=\S*:\S*", text);
        Assert.Contains($"new_dhcp6_domain_search={NetnsLab.SearchDomain}", text, StringComparison.Ordinal);
        // And it works as a source address.
        await GuestMustAsync($"ping -6 -c1 -W3 -I {address} {NetnsLab.ServerAddress6}");
    }

    [RealGuestFact]
    public async Task Router_advertisement_has_prefix_mtu_and_name_servers()
    {
        await Address6Async();
        // tcpdump decodes it: an implementation that is not ours.
        var text = await GuestMustAsync(
            """
            timeout 8 tcpdump -Z root -i eth0 -n -vv -c 1 --immediate-mode 'icmp6 && ip6[40] = 134' > /run/ra 2> /run/ra.err &
            for i in $(seq 50); do grep -q listening /run/ra.err && break; sleep 0.1; done
            nettool router-solicit eth0
            wait
            cat /run/ra /run/ra.err
            """);
        Assert.Matches(@"prefix info option .*/64, Flags \[.*onlink.*auto", text);
        Assert.Matches(@"rdnss option .*addr: \S+", text);
        Assert.Matches($@"dnssl option .*{Regex.Escape(NetnsLab.SearchDomain)}", text);
        Assert.Matches($@"mtu option \(5\).*:\s*{_fixture.Mtu}\b", text);
    }

    [RealGuestFact]
    public async Task Offloads_are_on()
    {
        var features = await GuestMustAsync("ethtool -k eth0");
        foreach (var feature in new[] { "rx-checksumming", "tx-checksumming", "scatter-gather", "tcp-segmentation-offload", "tx-tcp-segmentation", "tx-tcp6-segmentation" })
            Assert.Contains($"{feature}: on", features, StringComparison.Ordinal);
        // The guest says so when it takes super-frames (GUEST_TSO4 and GUEST_TSO6).
        Assert.Matches(@"(rx-gro-hw|large-receive-offload): on", features);
    }
}
