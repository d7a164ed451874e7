namespace NicHost.Wire;

/// <summary>Protocol and next header numbers (IANA protocol numbers).</summary>
public static class IpProtocol
{
    /// <summary>IPv6 hop-by-hop options.</summary>
    public const byte HopByHop = 0;
    /// <summary>ICMP.</summary>
    public const byte Icmp = 1;
    /// <summary>TCP.</summary>
    public const byte Tcp = 6;
    /// <summary>UDP.</summary>
    public const byte Udp = 17;
    /// <summary>IPv6 routing header.</summary>
    public const byte Routing = 43;
    /// <summary>IPv6 fragment header.</summary>
    public const byte Fragment = 44;
    /// <summary>IPsec ESP.</summary>
    public const byte Esp = 50;
    /// <summary>IPsec authentication header.</summary>
    public const byte Authentication = 51;
    /// <summary>ICMPv6.</summary>
    public const byte Icmpv6 = 58;
    /// <summary>No next header.</summary>
    public const byte None = 59;
    /// <summary>IPv6 destination options.</summary>
    public const byte DestinationOptions = 60;
}
