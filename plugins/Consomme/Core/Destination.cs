namespace NicHost.Consomme.Core;

/// <summary>What becomes of a guest's destination.</summary>
internal enum DestinationVerdict
{
    /// <summary>Connect to <see cref="DestinationRule.Host"/>.</summary>
    Allowed,

    /// <summary>One of our own services answers: DNS.</summary>
    Dns,

    /// <summary>An address of the virtual network that nobody has, or the gateway without <c>hostLoopback</c>: refuse as a real host would.</summary>
    Unreachable,

    /// <summary>Loopback, unspecified, multicast, broadcast, link-local: never leaves.</summary>
    Forbidden,
}

/// <summary>Verdict and the host's address for it.</summary>
internal readonly record struct DestinationRule(DestinationVerdict Verdict, IpAddr Host);

/// <summary>Maps the guest's destinations to the host's, the same for TCP, UDP and echo.</summary>
internal sealed class DestinationPolicy(Network network, bool hostLoopback)
{
    private static readonly IpAddr LoopbackV4 = IpAddr.FromV4(0x7f000001);
    private static readonly IpAddr LoopbackV6 = new(0, 1);

    public bool HostLoopback => hostLoopback;

    public DestinationRule Decide(IpAddr destination, ushort port)
    {
        if (network.IsDns(destination) || (network.IsGateway(destination) && port == 53 && !hostLoopback))
            return port == 53 ? new(DestinationVerdict.Dns, default) : new(DestinationVerdict.Unreachable, default);
        if (network.IsGateway(destination))
        {
            return hostLoopback
                ? new(DestinationVerdict.Allowed, destination.IsV4 ? LoopbackV4 : LoopbackV6)
                : new(DestinationVerdict.Unreachable, default);
        }
        if (destination.IsLoopback || destination.IsUnspecified || destination.IsMulticast || destination.IsBroadcast || destination.IsLinkLocal)
            return new(DestinationVerdict.Forbidden, default);
        // IPv4-mapped and -compatible IPv6 addresses would reach IPv4 (and its loopback) behind this policy's back.
        if (!destination.IsV4 && destination.High == 0) return new(DestinationVerdict.Forbidden, default);
        return network.InSubnet(destination) ? new(DestinationVerdict.Unreachable, default) : new(DestinationVerdict.Allowed, destination);
    }
}
