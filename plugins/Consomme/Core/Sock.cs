using NicHost.Linux;

namespace NicHost.Consomme.Core;

/// <summary>Between our addresses and the kernel's.</summary>
internal static class Sock
{
    public static SockAddr Address(IpAddr address, ushort port) =>
        address.IsV4 ? SockAddr.FromIpv4(address.V4, port) : SockAddr.FromIpv6(address.V6, port);

    public static IpAddr Address(in SockAddr address) =>
        address.IsIpv4 ? IpAddr.FromV4(address.Ipv4) : address.IsIpv6 ? IpAddr.FromV6(address.Ipv6) : default;

    public static int Family(bool v4) => v4 ? Sockets.AfInet : Sockets.AfInet6;

    public static int Level(bool v4) => v4 ? SocketLevel.Ip : SocketLevel.Ipv6;

    /// <summary>What a failed send, or an error of the kernel about an earlier one, means to the guest; null when it is nothing the guest did or can mend.</summary>
    public static IcmpError? Meaning(Errno error) => error switch
    {
        Errno.ENETUNREACH or Errno.EAFNOSUPPORT or Errno.EADDRNOTAVAIL or Errno.ENETDOWN => IcmpError.NetUnreachable,
        Errno.EHOSTUNREACH or Errno.EHOSTDOWN => IcmpError.HostUnreachable,
        Errno.ECONNREFUSED => IcmpError.PortUnreachable,
        Errno.EACCES or Errno.EPERM => IcmpError.Prohibited,
        Errno.EMSGSIZE => IcmpError.PacketTooBig,
        _ => null,
    };

    /// <summary>What an ICMP message that reached one of our sockets means to the guest.</summary>
    public static IcmpError? Meaning(in ErrorQueueEntry entry) => entry.Origin switch
    {
        ErrorOrigin.Icmp => (entry.Type, entry.Code) switch
        {
            (3, 0 or 6 or 8 or 11) => IcmpError.NetUnreachable,
            (3, 3) => IcmpError.PortUnreachable,
            (3, 4) => IcmpError.PacketTooBig,
            (3, 9 or 10 or 13) => IcmpError.Prohibited,
            (3, _) => IcmpError.HostUnreachable,
            (11, _) => IcmpError.TimeExceeded,
            _ => null,
        },
        ErrorOrigin.Icmpv6 => (entry.Type, entry.Code) switch
        {
            (1, 0) => IcmpError.NetUnreachable,
            (1, 1 or 5 or 6) => IcmpError.Prohibited,
            (1, 4) => IcmpError.PortUnreachable,
            (1, _) => IcmpError.HostUnreachable,
            (2, _) => IcmpError.PacketTooBig,
            (3, _) => IcmpError.TimeExceeded,
            _ => null,
        },
        _ => Meaning(entry.Error),
    };
}
