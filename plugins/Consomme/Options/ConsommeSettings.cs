using NicHost.Consomme.Core;
using NicHost.Consomme.Forwards;
using NicHost.Contracts.Nics;
using NicHost.Contracts.Options;

namespace NicHost.Consomme.Options;

/// <summary>The options after all words in them have been understood.</summary>
internal sealed record ConsommeSettings
{
    /// <summary>IPv6 does not run over less (RFC 8200 5).</summary>
    private const int MinIpv6Mtu = 1280;

    public required uint Subnet { get; init; }

    public required int PrefixLength { get; init; }

    public required bool HasV6 { get; init; }

    public required ulong PrefixV6 { get; init; }

    public required bool HostLoopback { get; init; }

    public required IReadOnlyList<Forward> Forwards { get; init; }

    public required DnsSettings Dns { get; init; }

    public required string? Hostname { get; init; }

    public required LimitOptions Limits { get; init; }

    /// <summary>Reads the options; every fault goes into <paramref name="faults"/>, and the result then is not to be used.</summary>
    public static ConsommeSettings Read(ConsommeOptions options, ICollection<OptionFault> faults)
    {
        var (subnet, prefix) = SubnetReader.ReadV4(options.Subnet, faults);
        var prefixV6 = SubnetReader.ReadV6(options.Ipv6Prefix, faults);
        var settings = new ConsommeSettings
        {
            Subnet = subnet,
            PrefixLength = prefix,
            HasV6 = options.Ipv6,
            PrefixV6 = prefixV6,
            HostLoopback = options.HostLoopback,
            Forwards = [],
            Dns = DnsSettings.Read(options.Dns, faults),
            Hostname = options.Hostname,
            Limits = options.Limits,
        };
        if (options.Hostname is { } name && !DomainText.IsName(name))
            faults.Add(new OptionFault("$.hostname", $"\"{name}\" is not a host name.", "Use letters, digits and dashes, parts of at most 63 characters."));
        return settings with { Forwards = ForwardReader.Read(options.Forwards, settings.Network(default, 1500), faults) };
    }

    /// <summary>The virtual network that these settings make around a guest.</summary>
    public Network Network(MacAddress guest, int mtu)
    {
        var broadcast = Subnet | ~(uint.MaxValue << (32 - PrefixLength));
        var last = Math.Min(Subnet + 15, broadcast - 1);
        var mac = GatewayMac(Subnet + 2);
        return new Network
        {
            Subnet = Subnet,
            PrefixLength = PrefixLength,
            GatewayV4 = IpAddr.FromV4(Subnet + 2),
            DnsV4 = IpAddr.FromV4(Subnet + 3),
            GuestV4 = IpAddr.FromV4(last),
            HasV6 = HasV6 && mtu >= MinIpv6Mtu,
            PrefixV6 = PrefixV6,
            GatewayV6 = new IpAddr(PrefixV6, 2),
            DnsV6 = new IpAddr(PrefixV6, 3),
            GuestV6 = new IpAddr(PrefixV6, 0xf),
            GatewayLinkLocal = LinkLocal(mac),
            GatewayMac = mac,
            GuestMac = guest,
            Mtu = mtu,
        };
    }

    /// <summary>52:55 and the gateway's IPv4 address: locally administered, and readable in a capture.</summary>
    private static MacAddress GatewayMac(uint gateway) =>
        new([0x52, 0x55, (byte)(gateway >> 24), (byte)(gateway >> 16), (byte)(gateway >> 8), (byte)gateway]);

    /// <summary>fe80:: with the modified EUI-64 (RFC 4291 appendix A).</summary>
    private static IpAddr LinkLocal(MacAddress mac) => new(0xfe80UL << 48, Eui64(mac));

    /// <summary>The interface identifier that a host makes from its MAC.</summary>
    public static ulong Eui64(MacAddress mac) =>
        (((mac.Value >> 24) ^ 0x020000) << 40) | 0xff_fe00_0000UL | (mac.Value & 0xff_ffff);
}
