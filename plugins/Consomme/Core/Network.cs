using NicHost.Contracts.Nics;

namespace NicHost.Consomme.Core;

/// <summary>The virtual network that the guest is on: constant while the NIC lives.</summary>
internal sealed record Network
{
    /// <summary>IPv4 network address, host order.</summary>
    public required uint Subnet { get; init; }

    /// <summary>Bits of the IPv4 prefix, 8 to 29.</summary>
    public required int PrefixLength { get; init; }

    public required IpAddr GatewayV4 { get; init; }

    public required IpAddr DnsV4 { get; init; }

    public required IpAddr GuestV4 { get; init; }

    /// <summary>Whether the guest is given IPv6.</summary>
    public required bool HasV6 { get; init; }

    /// <summary>The upper 64 bits of the IPv6 prefix.</summary>
    public required ulong PrefixV6 { get; init; }

    public required IpAddr GatewayV6 { get; init; }

    public required IpAddr DnsV6 { get; init; }

    public required IpAddr GuestV6 { get; init; }

    /// <summary>The gateway's link-local address: the router that advertisements come from.</summary>
    public required IpAddr GatewayLinkLocal { get; init; }

    /// <summary>The MAC that answers for every address on our side.</summary>
    public required MacAddress GatewayMac { get; init; }

    public required MacAddress GuestMac { get; init; }

    public required int Mtu { get; init; }

    public uint Mask => uint.MaxValue << (32 - PrefixLength);

    public uint BroadcastV4 => Subnet | ~Mask;

    public bool InSubnet(IpAddr address) => address.IsV4 ? (address.V4 & Mask) == Subnet : address.High == PrefixV6 && !address.IsV4;

    public bool IsGateway(IpAddr address) => address == GatewayV4 || address == GatewayV6 || address == GatewayLinkLocal;

    public bool IsDns(IpAddr address) => address == DnsV4 || address == DnsV6;

    /// <summary>Whether a source address may be the guest's: its lease, any address in its IPv6 prefix that is not ours, link-local.</summary>
    public bool IsGuestSource(IpAddr address) => address.IsV4
        ? address == GuestV4
        : HasV6 && (address.IsLinkLocal || address.High == PrefixV6) && !IsGateway(address) && !IsDns(address);
}
