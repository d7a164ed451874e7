using NicHost.Consomme.Forwards;
using NicHost.Consomme.Options;

namespace NicHost.Consomme.Core;

/// <summary>
/// The guest's IPv6 addresses, learnt from what it sends: a guest that does not run DHCPv6 makes its own (RFC 4862), and port forwards
/// have to find it there.
/// </summary>
internal sealed class GuestAddresses(Network network)
{
    private readonly IpAddr _eui = new(network.PrefixV6, ConsommeSettings.Eui64(network.GuestMac));
    private IpAddr _latest;
    private bool _leased;
    private bool _formed;

    /// <summary>The address to reach the guest at: the leased one, else the one made from its MAC, else the one seen last.</summary>
    public IpAddr V6 => _leased ? network.GuestV6 : _formed ? _eui : _latest != default ? _latest : network.GuestV6;

    /// <summary>Notes a source address, or one that the guest tests for duplicates.</summary>
    public void Seen(IpAddr address)
    {
        if (address.IsV4 || address == _latest || address.High != network.PrefixV6) return;
        _latest = address;
        _leased |= address == network.GuestV6;
        _formed |= address == _eui;
    }

    /// <summary>Where a forward leads to just now.</summary>
    public IpAddr Target(Forward forward) => forward.Guest == network.GuestV6 ? V6 : forward.Guest;
}
