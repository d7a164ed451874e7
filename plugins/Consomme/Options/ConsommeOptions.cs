using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace NicHost.Consomme.Options;

[Description("A NAT in user mode: the guest's packets leave through ordinary sockets of the host.")]
internal sealed record ConsommeOptions
{
    [Description("The guest's IPv4 network as address/prefix (8 to 29 bits). Gateway is .2, DNS .3 and the guest .15 (in a small network: the last address).")]
    public string Subnet { get; set; } = "10.0.2.0/24";

    [Description("Whether the guest is given IPv6.")]
    public bool Ipv6 { get; set; } = true;

    [Description("The guest's IPv6 prefix, a /64. Gateway is ::2, DNS ::3, the guest ::f.")]
    public string Ipv6Prefix { get; set; } = "fd00:10:0:2::/64";

    [Description("Whether the gateway's address leads to the host's own loopback. Off by default: on, the guest reaches services that listen on 127.0.0.1 and ::1 only.")]
    public bool HostLoopback { get; set; }

    [Description("Ports of the host that lead to the guest: \"tcp|udp:[HOSTADDRESS:]PORT[..PORT]-[GUESTADDRESS:]PORT[..PORT]\", for example tcp:127.0.0.1:2222-22, udp:[::1]:5353-53, tcp:8000..8010-80..90 for ranges.")]
    public IReadOnlyList<string> Forwards { get; set; } = [];

    [Description("Name service for the guest.")]
    public DnsOptions Dns { get; set; } = new();

    [Description("The guest's host name, sent in its lease.")]
    public string? Hostname { get; set; }

    [Description("Bounds on what a guest can make grow.")]
    public LimitOptions Limits { get; set; } = new();
}

internal sealed record DnsOptions
{
    [Description("Servers to ask, addresses with an optional port. Empty: those of the host's /etc/resolv.conf, followed as it changes.")]
    public IReadOnlyList<string> Servers { get; set; } = [];

    [Description("Names that are answered here.")]
    public IReadOnlyList<DnsRecordOptions> Records { get; set; } = [];

    [Description("Domains that the guest appends to short names. Empty: those of the host.")]
    public IReadOnlyList<string> Search { get; set; } = [];

    [Description("The guest's own domain.")]
    public string? Domain { get; set; }
}

internal sealed record DnsRecordOptions
{
    [Description("The name, without a final dot.")]
    public required string Name { get; init; }

    [Description("A, AAAA, CNAME or PTR. Left out: A or AAAA for an address, CNAME otherwise.")]
    public DnsRecordType? Type { get; set; }

    [Description("An address, or a name for CNAME and PTR. A and AAAA records answer the reverse question too.")]
    public required string Value { get; init; }

    [Description("Time to live in seconds.")]
    [Range(0, int.MaxValue)]
    public int Ttl { get; set; } = 60;
}

[JsonConverter(typeof(JsonStringEnumConverter<DnsRecordType>))]
internal enum DnsRecordType { A, AAAA, CNAME, PTR }

internal sealed record LimitOptions
{
    [Description("TCP flows at one time. At the limit new ones are refused with RST.")]
    [Range(1, 1 << 20)]
    public int TcpFlows { get; set; } = 16384;

    [Description("TCP connections being set up, in both directions. At the limit a guest's SYN is dropped (it will repeat it), a host's connection waits.")]
    [Range(1, 1 << 20)]
    public int HalfOpen { get; set; } = 512;

    [Description("UDP flows at one time. At the limit the one idle longest gives way.")]
    [Range(1, 1 << 20)]
    public int UdpFlows { get; set; } = 4096;

    [Description("Echo flows (ping) at one time. At the limit new ones are dropped.")]
    [Range(0, 1 << 16)]
    public int EchoFlows { get; set; } = 256;

    [Description("DNS queries in flight. At the limit a query is answered with SERVFAIL.")]
    [Range(1, 1 << 16)]
    public int DnsQueries { get; set; } = 512;

    [Description("Seconds without traffic after which a UDP flow ends (DNS-like flows with one answer: a quarter of it).")]
    [Range(1, 86400)]
    public int UdpIdleSeconds { get; set; } = 180;

    [Description("Seconds without traffic after which an established TCP flow is probed, and ended when the guest is gone.")]
    [Range(1, 7 * 86400)]
    public int TcpIdleSeconds { get; set; } = 7200;
}
