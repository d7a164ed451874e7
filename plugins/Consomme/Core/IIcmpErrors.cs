namespace NicHost.Consomme.Core;

/// <summary>Why a packet of the guest could not be delivered, in either IP version's words.</summary>
internal enum IcmpError
{
    NetUnreachable,
    HostUnreachable,
    PortUnreachable,

    /// <summary>With the MTU of the next hop.</summary>
    PacketTooBig,

    /// <summary>TTL or hop limit ran out.</summary>
    TimeExceeded,

    /// <summary>Administratively prohibited.</summary>
    Prohibited,
}

/// <summary>Sends ICMP and ICMPv6 errors to the guest, at a limited rate (RFC 1812 4.3.2.8, RFC 4443 2.4 f).</summary>
internal interface IIcmpErrors
{
    /// <summary>About a frame that is at hand: quotes it.</summary>
    /// <param name="about">The guest's frame.</param>
    /// <param name="error">What happened.</param>
    /// <param name="source">Who says so; the gateway when unspecified (default).</param>
    /// <param name="mtu">For <see cref="IcmpError.PacketTooBig"/>.</param>
    void Send(ref GuestFrame about, IcmpError error, IpAddr source = default, int mtu = 0);

    /// <summary>About a flow whose frame is gone: quotes rebuilt headers.</summary>
    /// <param name="protocol">IP protocol number.</param>
    /// <param name="transport">At least the first 8 bytes of the transport header as the guest sent it (ports, sequence number).</param>
    void Send(int queue, in FlowKey flow, byte protocol, ReadOnlySpan<byte> transport, IcmpError error, IpAddr source = default, int mtu = 0);
}
