using System.Text;
using System.Text.Json;
using NicHost.Consomme.Core;
using NicHost.Consomme.Options;
using NicHost.Contracts.Options;
using VerifyXunit;

namespace NicHost.Consomme.Tests.Options;

public sealed class ConsommeOptionsTests
{
    [Fact]
    public Task Every_fault_is_told_with_its_place_and_remedy()
    {
        var text = new StringBuilder();
        foreach (var options in new[]
        {
            """{"subnet":"10.0.2.7/24"}""",
            """{"subnet":"10.0.2.0/30","ipv6Prefix":"fd00::1/64"}""",
            """{"subnet":"127.0.0.0/24","ipv6Prefix":"fd00::/48"}""",
            """{"subnet":"10.2/16","ipv6Prefix":"10.0.2.0/24"}""",
            """{"forwards":["22-22","tcp:2222","tcp:x:1-2","tcp:1-0","tcp:80..90-80","tcp:70000-80","tcp:1-8.8.8.8:2","tcp:127.0.0.1:1-[fd00:10:0:2::f]:2","tcp:::1:1-2"]}""",
            """{"forwards":["tcp:80-80","udp:80-80","tcp:80-81"]}""",
            """{"ipv6":false,"forwards":["tcp:[::1]:80-80"]}""",
            """{"dns":{"servers":["dns.example","192.0.2.1:0","::1","[::1]:53"],"search":["-a"],"domain":"a..b"}}""",
            """{"dns":{"records":[{"name":"a b","value":"192.0.2.1"},{"name":"a","type":"AAAA","value":"192.0.2.1"},{"name":"a","type":"CNAME","value":"192.0.2.1"},{"name":"a","value":"192.0.2.1","ttl":-1}]}}""",
            """{"hostname":"a_b!","limits":{"udpFlows":0,"dnsQueries":70000}}""",
            """{"subnett":"10.0.2.0/24"}""",
        })
        {
            text.Append("# ").Append(options).Append('\n');
            var faults = new List<OptionFault>();
            new ConsommeFactory().Options.Check(JsonDocument.Parse(options).RootElement, faults);
            foreach (var fault in faults) text.Append(fault.Path).Append(": ").Append(fault.Message).Append(' ').Append(fault.Remedy).Append('\n');
        }
        return Verifier.Verify(text.ToString());
    }

    [Fact]
    public Task Forwards_read_as_agreed()
    {
        var text = new StringBuilder();
        string[] forwards =
        [
            "tcp:127.0.0.1:2222-22", "udp:[::1]:5353-53", "tcp:8000..8002-80..82", "tcp:8080-10.0.2.15:80", "udp:9000-[fd00:10:0:2::99]:9", "tcp:127.0.0.1:0-22",
        ];
        var faults = new List<OptionFault>();
        var settings = ConsommeSettings.Read(new ConsommeOptions { Forwards = forwards }, faults);
        Assert.Empty(faults);
        foreach (var forward in settings.Forwards)
            text.Append(forward.Text).Append(": ").Append(forward.IsTcp ? "tcp " : "udp ").Append(forward.Host).Append(' ').Append(forward.HostPort)
                .Append(" -> ").Append(forward.Guest).Append(' ').Append(forward.GuestPort).Append('\n');
        return Verifier.Verify(text.ToString());
    }

    [Theory]
    [InlineData("10.0.2.0/24", "10.0.2.15")]
    [InlineData("10.0.2.0/28", "10.0.2.14")]
    [InlineData("10.0.2.8/29", "10.0.2.14")]
    [InlineData("172.16.0.0/12", "172.16.0.15")]
    public void Guest_has_its_place_in_networks_of_every_size(string subnet, string guest)
    {
        var network = ConsommeSettings.Read(new ConsommeOptions { Subnet = subnet }, []).Network(Guest.Mac, 1500);
        Assert.Equal(guest, network.GuestV4.ToString());
        Assert.True(network.InSubnet(network.GatewayV4) && network.InSubnet(network.DnsV4));
        Assert.NotEqual(network.BroadcastV4, network.GuestV4.V4);
    }

    [Fact]
    public void Link_too_small_for_ipv6_has_none()
    {
        Assert.False(ConsommeSettings.Read(new ConsommeOptions(), []).Network(Guest.Mac, 1279).HasV6);
        Assert.Equal("fe80::5055:aff:fe00:202", ConsommeSettings.Read(new ConsommeOptions(), []).Network(Guest.Mac, 1280).GatewayLinkLocal.ToString());
    }

    [Fact]
    public void Mapped_and_compatible_addresses_never_pass_the_policy()
    {
        var network = ConsommeSettings.Read(new ConsommeOptions(), []).Network(Guest.Mac, 1500);
        var policy = new DestinationPolicy(network, hostLoopback: true);
        foreach (var text in new[] { "127.0.0.1", "127.9.9.9", "0.0.0.0", "255.255.255.255", "224.0.0.1", "169.254.1.1", "::1", "::", "::127.0.0.1", "fe80::9", "ff02::1" })
            Assert.Equal(DestinationVerdict.Forbidden, policy.Decide(IpAddr.From(System.Net.IPAddress.Parse(text)), 80).Verdict);
    }
}
