using System.Text.RegularExpressions;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

public abstract partial class GuestNetworkTests
{
    [RealGuestFact]
    public async Task Ping_reaches_the_gateway() => await GuestMustAsync($"ping -c3 -i0.2 -W3 {Gateway}");

    [RealGuestFact]
    public async Task Ping_reaches_the_gateway_over_ipv6() => await GuestMustAsync($"ping -6 -c3 -i0.2 -W3 {await Gateway6Async()}%eth0");

    [RealGuestFact]
    public async Task Ping_reaches_a_host_behind() => await GuestMustAsync($"ping -c3 -i0.2 -W3 {NetnsLab.ServerAddress}");

    [RealGuestFact]
    public async Task Ping_reaches_a_host_behind_over_ipv6()
    {
        await Address6Async();
        await GuestMustAsync($"ping -6 -c3 -i0.2 -W3 {NetnsLab.ServerAddress6}");
    }

    [RealGuestFact]
    public async Task Ping_of_an_unused_address_stays_without_answer() =>
        Assert.NotEqual(0, (await Guest.RunAsync($"ping -c1 -W2 {NetnsLab.NobodysAddress}")).Status);

    [RealGuestFact]
    public async Task Several_pings_at_once_keep_their_answers_apart() => await GuestMustAsync(
        $$"""
        for i in 1 2 3 4 5 6; do ping -c5 -i0.2 -W3 -s $((i * 200)) {{NetnsLab.ServerAddress}} > /run/ping.$i & done
        wait
        for i in 1 2 3 4 5 6; do grep -q '5 packets transmitted, 5 received, 0% packet loss' /run/ping.$i || { cat /run/ping.$i; bad=1; }; done
        exit $bad
        """);

    [RealGuestFact]
    public async Task Traceroute_shows_every_hop()
    {
        var hops = await GuestMustAsync($"traceroute -n -q 2 -w 2 -m 6 {NetnsLab.ServerAddress}", 40);
        Assert.Matches($@"\n\s*1\s+{Regex.Escape(Gateway)}\b.*\n\s*2\s+{Regex.Escape(NetnsLab.RouterAddress.ToString())}\b.*\n\s*3\s+{Regex.Escape(NetnsLab.ServerAddress.ToString())}\b", "\n" + hops);
    }

    [RealGuestFact]
    public async Task Traceroute_with_echo_requests_shows_every_hop()
    {
        var hops = await GuestMustAsync($"traceroute -I -n -q 2 -w 2 -m 6 {NetnsLab.ServerAddress}", 40);
        Assert.Matches($@"\n\s*1\s+{Regex.Escape(Gateway)}\b.*\n\s*2\s+{Regex.Escape(NetnsLab.RouterAddress.ToString())}\b.*\n\s*3\s+{Regex.Escape(NetnsLab.ServerAddress.ToString())}\b", "\n" + hops);
    }

    [RealGuestFact]
    public async Task Tracepath_over_ipv6_shows_every_hop()
    {
        await Address6Async();
        var hops = await GuestMustAsync($"tracepath -6 -n -m 6 {NetnsLab.ServerAddress6}", 60);
        Assert.Contains("fd99::1", hops, StringComparison.Ordinal);
        Assert.Matches($@"\d+:\s+{NetnsLab.ServerAddress6}\s.*reached", hops);
    }

    [RealGuestFact]
    public async Task Traceroute_over_ipv6_shows_every_hop()
    {
        await Address6Async();
        var hops = await GuestMustAsync($"traceroute -6 -n -q 2 -w 2 -m 6 {NetnsLab.ServerAddress6}", 40);
        Assert.Matches($@"\n\s*1\s+f\S+.*\n\s*2\s+fd99::1\b.*\n\s*3\s+{NetnsLab.ServerAddress6}\b", "\n" + hops);
    }

    [RealGuestFact]
    public async Task Path_mtu_of_a_narrow_link_is_found()
    {
        var path = await GuestMustAsync("tracepath -n -m 6 10.97.0.2", 60);
        Assert.Contains($"pmtu {NetnsLab.NarrowMtu}", path, StringComparison.Ordinal);
    }

    [RealGuestFact]
    public async Task Name_is_resolved_over_udp()
    {
        Assert.Contains($"{NetnsLab.ServerAddress}", await GuestMustAsync("getent ahostsv4 one.lab.test"), StringComparison.Ordinal);
        Assert.Contains($"{NetnsLab.ServerAddress6}", await GuestMustAsync("getent ahostsv6 one.lab.test"), StringComparison.Ordinal);
        Assert.Contains("one.lab.test", await GuestMustAsync($"getent hosts {NetnsLab.ServerAddress}"), StringComparison.Ordinal);
    }

    [RealGuestFact]
    public async Task Name_is_resolved_over_tcp()
    {
        Assert.Contains($"{NetnsLab.ServerAddress}", await GuestMustAsync("RES_OPTIONS=use-vc getent ahostsv4 one.lab.test"), StringComparison.Ordinal);
        Assert.Contains($"{NetnsLab.ServerAddress6}", await GuestMustAsync("RES_OPTIONS=use-vc getent ahostsv6 one.lab.test"), StringComparison.Ordinal);
    }

    [RealGuestFact]
    public async Task Name_in_the_search_domain_is_found() =>
        Assert.Contains($"{NetnsLab.ServerAddress}", await GuestMustAsync("getent ahostsv4 one"), StringComparison.Ordinal);

    [RealGuestFact]
    public async Task Answer_too_big_for_a_datagram_arrives_whole() =>
        Assert.Equal($"{DnsZone.BigCount}", await GuestMustAsync("getent ahostsv4 big.test | grep -c STREAM"));

    [RealGuestFact]
    public async Task Name_that_does_not_exist_is_told_at_once()
    {
        var result = await Guest.RunAsync("timeout 4 getent ahostsv4 nobody.lab.test");
        Assert.Equal(2, result.Status);
    }

    [RealGuestFact]
    public async Task Many_queries_at_once_are_all_answered() => await GuestMustAsync(
        """
        for i in $(seq 20); do (getent ahostsv4 one.lab.test | grep -q 10.98.0.2 && RES_OPTIONS=use-vc getent ahostsv6 one.lab.test | grep -q fd98::2 && echo good) & done > /run/dns
        wait
        [ $(grep -c good /run/dns) = 20 ] || { cat /run/dns; exit 1; }
        """, 60);

    [RealGuestFact]
    public async Task Refused_connection_is_refused_at_once()
    {
        await Address6Async();
        foreach (var address in new[] { NetnsLab.ServerAddress, NetnsLab.ServerAddress6 })
        {
            var text = await GuestMustAsync($"nettool connect {address} {LabServices.ClosedPort}");
            var match = Regex.Match(text, @"^Connection refused after (\S+) s");
            Assert.True(match.Success, text);
            Assert.InRange(double.Parse(match.Groups[1].Value, null), 0, 0.9);
        }
    }

    [RealGuestFact]
    public async Task Refused_datagram_is_told_at_once()
    {
        await Address6Async();
        foreach (var address in new[] { NetnsLab.ServerAddress, NetnsLab.ServerAddress6 })
            Assert.Equal("recv: Connection refused", (await Guest.RunAsync($"nettool udp-echo {address} {LabServices.ClosedPort} 10 10 1 1")).Output);
    }

    [RealGuestFact]
    public async Task Unreachable_host_is_told_and_not_waited_for()
    {
        // The router has nobody at that address and says so after its three ARP questions, one second each.
        var text = await GuestMustAsync($"nettool connect {NetnsLab.NobodysAddress} 80", 40);
        Assert.Matches("^No route to host after [0-9]\\.", text);
    }

    [RealGuestFact]
    public async Task Gateway_leads_to_the_loopback_of_the_host()
    {
        var expected = TestBytes.Sha256(7, 100_000);
        Assert.StartsWith(expected, await GuestMustAsync($"curl -sS -m 10 http://{Gateway}:{LabServices.HttpPort}/random/7/100000 | sha256sum"), StringComparison.Ordinal);
    }
}
