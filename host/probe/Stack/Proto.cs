namespace NicHost.Probe.Stack;

/// <summary>Numbers of protocols and sizes of headers.</summary>
internal static class Proto
{
    public const int Ethernet = 14;
    public const int Ipv4Header = 20;
    public const int Ipv6Header = 40;
    public const int TcpHeader = 20;
    public const int UdpHeader = 8;

    public const ushort EtherIpv4 = 0x0800;
    public const ushort EtherArp = 0x0806;
    public const ushort EtherIpv6 = 0x86dd;

    public const byte Icmp = 1;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const byte Icmpv6 = 58;
}
