#pragma warning disable CA1008 // The kernel's numbers have no "none" of their own everywhere.
namespace NicHost.Linux;

/// <summary>Levels of setsockopt and of control messages.</summary>
public static class SocketLevel
{
    /// <summary>SOL_SOCKET.</summary>
    public const int Socket = 1;
    /// <summary>SOL_IP.</summary>
    public const int Ip = 0;
    /// <summary>SOL_IPV6.</summary>
    public const int Ipv6 = 41;
    /// <summary>SOL_TCP.</summary>
    public const int Tcp = 6;
    /// <summary>SOL_UDP.</summary>
    public const int Udp = 17;
    /// <summary>SOL_RAW and the level of ICMP_FILTER.</summary>
    public const int Raw = 255;
    /// <summary>SOL_ICMPV6.</summary>
    public const int Icmpv6 = 58;
}

/// <summary>Options at <see cref="SocketLevel.Socket"/>, named as in asm-generic/socket.h without the SO_.</summary>
public static class SocketOption
{
    /// <summary>SO_REUSEADDR.</summary>
    public const int ReuseAddr = 2;
    /// <summary>SO_TYPE (read only).</summary>
    public const int Type = 3;
    /// <summary>SO_ERROR (read clears it).</summary>
    public const int Error = 4;
    /// <summary>SO_BROADCAST.</summary>
    public const int Broadcast = 6;
    /// <summary>SO_SNDBUF; the kernel doubles what is set and caps it at net.core.wmem_max.</summary>
    public const int SndBuf = 7;
    /// <summary>SO_RCVBUF; the kernel doubles what is set and caps it at net.core.rmem_max.</summary>
    public const int RcvBuf = 8;
    /// <summary>SO_KEEPALIVE.</summary>
    public const int KeepAlive = 9;
    /// <summary>SO_OOBINLINE.</summary>
    public const int OobInline = 10;
    /// <summary>SO_LINGER; see <see cref="NicHost.Linux.Linger"/>.</summary>
    public const int Linger = 13;
    /// <summary>SO_REUSEPORT.</summary>
    public const int ReusePort = 15;
    /// <summary>SO_PEERCRED.</summary>
    public const int PeerCred = 17;
    /// <summary>SO_BINDTODEVICE; the value is the interface's name.</summary>
    public const int BindToDevice = 25;
    /// <summary>SO_ACCEPTCONN (read only).</summary>
    public const int AcceptConn = 30;
    /// <summary>SO_SNDBUFFORCE; needs CAP_NET_ADMIN.</summary>
    public const int SndBufForce = 32;
    /// <summary>SO_RCVBUFFORCE; needs CAP_NET_ADMIN.</summary>
    public const int RcvBufForce = 33;
    /// <summary>SO_MARK; needs CAP_NET_ADMIN.</summary>
    public const int Mark = 36;
    /// <summary>SO_DOMAIN (read only).</summary>
    public const int Domain = 39;
    /// <summary>SO_RXQ_OVFL: a control message with the number of dropped datagrams.</summary>
    public const int RxqOvfl = 40;
    /// <summary>SO_PEEK_OFF: where MSG_PEEK starts. TCP has it since Linux 6.9; before, ENOPROTOOPT or EOPNOTSUPP.</summary>
    public const int PeekOff = 42;
    /// <summary>SO_BUSY_POLL.</summary>
    public const int BusyPoll = 46;
    /// <summary>SO_INCOMING_CPU.</summary>
    public const int IncomingCpu = 49;
    /// <summary>SO_MEMINFO; see <see cref="SocketMemory"/>.</summary>
    public const int MemInfo = 55;
}

/// <summary>Options at <see cref="SocketLevel.Tcp"/>, named as in linux/tcp.h without the TCP_.</summary>
public static class TcpOption
{
    /// <summary>TCP_NODELAY.</summary>
    public const int NoDelay = 1;
    /// <summary>TCP_MAXSEG.</summary>
    public const int MaxSeg = 2;
    /// <summary>TCP_CORK.</summary>
    public const int Cork = 3;
    /// <summary>TCP_KEEPIDLE, seconds.</summary>
    public const int KeepIdle = 4;
    /// <summary>TCP_KEEPINTVL, seconds.</summary>
    public const int KeepIntvl = 5;
    /// <summary>TCP_KEEPCNT.</summary>
    public const int KeepCnt = 6;
    /// <summary>TCP_SYNCNT.</summary>
    public const int SynCnt = 7;
    /// <summary>TCP_LINGER2, seconds in FIN-WAIT-2.</summary>
    public const int Linger2 = 8;
    /// <summary>TCP_DEFER_ACCEPT, seconds.</summary>
    public const int DeferAccept = 9;
    /// <summary>TCP_WINDOW_CLAMP.</summary>
    public const int WindowClamp = 10;
    /// <summary>TCP_INFO; see <see cref="TcpInfo"/>.</summary>
    public const int Info = 11;
    /// <summary>TCP_QUICKACK.</summary>
    public const int QuickAck = 12;
    /// <summary>TCP_CONGESTION; the value is a name.</summary>
    public const int Congestion = 13;
    /// <summary>TCP_USER_TIMEOUT, milliseconds.</summary>
    public const int UserTimeout = 18;
    /// <summary>TCP_NOTSENT_LOWAT.</summary>
    public const int NotSentLowat = 25;
    /// <summary>TCP_INQ: a control message with the bytes left to read.</summary>
    public const int Inq = 36;
}

/// <summary>Options and control messages at <see cref="SocketLevel.Ip"/>, named as in linux/in.h without the IP_.</summary>
public static class IpOption
{
    /// <summary>IP_TOS.</summary>
    public const int Tos = 1;
    /// <summary>IP_TTL; as a control message, the TTL of a datagram (int).</summary>
    public const int Ttl = 2;
    /// <summary>IP_PKTINFO; see <see cref="PacketInfo4"/>.</summary>
    public const int PktInfo = 8;
    /// <summary>IP_MTU_DISCOVER; a <see cref="MtuDiscover"/>.</summary>
    public const int MtuDiscover = 10;
    /// <summary>IP_RECVERR: errors go to the error queue; see <see cref="ErrorQueue"/>.</summary>
    public const int RecvErr = 11;
    /// <summary>IP_RECVTTL.</summary>
    public const int RecvTtl = 12;
    /// <summary>IP_RECVTOS.</summary>
    public const int RecvTos = 13;
    /// <summary>IP_MTU: the path's MTU of a connected socket (read only).</summary>
    public const int Mtu = 14;
    /// <summary>IP_FREEBIND.</summary>
    public const int FreeBind = 15;
    /// <summary>IP_BIND_ADDRESS_NO_PORT: choose the port at connect.</summary>
    public const int BindAddressNoPort = 24;
    /// <summary>IP_MULTICAST_IF.</summary>
    public const int MulticastIf = 32;
    /// <summary>IP_MULTICAST_TTL.</summary>
    public const int MulticastTtl = 33;
    /// <summary>IP_MULTICAST_LOOP.</summary>
    public const int MulticastLoop = 34;
    /// <summary>IP_LOCAL_PORT_RANGE.</summary>
    public const int LocalPortRange = 51;
}

/// <summary>Options and control messages at <see cref="SocketLevel.Ipv6"/>, named as in linux/in6.h without the IPV6_.</summary>
public static class Ipv6Option
{
    /// <summary>IPV6_UNICAST_HOPS.</summary>
    public const int UnicastHops = 16;
    /// <summary>IPV6_MULTICAST_HOPS.</summary>
    public const int MulticastHops = 18;
    /// <summary>IPV6_MTU_DISCOVER; a <see cref="MtuDiscover"/>.</summary>
    public const int MtuDiscover = 23;
    /// <summary>IPV6_MTU: the path's MTU of a connected socket.</summary>
    public const int Mtu = 24;
    /// <summary>IPV6_RECVERR: errors go to the error queue; see <see cref="ErrorQueue"/>.</summary>
    public const int RecvErr = 25;
    /// <summary>IPV6_V6ONLY.</summary>
    public const int V6Only = 26;
    /// <summary>IPV6_RECVPKTINFO.</summary>
    public const int RecvPktInfo = 49;
    /// <summary>IPV6_PKTINFO, the control message; see <see cref="PacketInfo6"/>.</summary>
    public const int PktInfo = 50;
    /// <summary>IPV6_RECVHOPLIMIT.</summary>
    public const int RecvHopLimit = 51;
    /// <summary>IPV6_HOPLIMIT, the control message (int).</summary>
    public const int HopLimit = 52;
    /// <summary>IPV6_DONTFRAG.</summary>
    public const int DontFrag = 62;
    /// <summary>IPV6_RECVTCLASS.</summary>
    public const int RecvTclass = 66;
    /// <summary>IPV6_TCLASS.</summary>
    public const int Tclass = 67;
    /// <summary>IPV6_FREEBIND.</summary>
    public const int FreeBind = 78;
}

/// <summary>Options and control messages at <see cref="SocketLevel.Udp"/>.</summary>
public static class UdpOption
{
    /// <summary>UDP_CORK.</summary>
    public const int Cork = 1;
    /// <summary>UDP_SEGMENT: segment size of what is sent (int as an option, ushort as a control message). At most 128 segments (64 before Linux 6.9).</summary>
    public const int Segment = 103;
    /// <summary>UDP_GRO: receive several datagrams at once; the control message (int) has the segment size.</summary>
    public const int Gro = 104;
}

/// <summary>Values of IP_MTU_DISCOVER and IPV6_MTU_DISCOVER.</summary>
public enum MtuDiscover
{
    /// <summary>Never set DF.</summary>
    Dont = 0,
    /// <summary>Set DF; fragment here what is larger than the path's known MTU.</summary>
    Want = 1,
    /// <summary>Set DF; refuse with EMSGSIZE what is larger than the path's known MTU.</summary>
    Do = 2,
    /// <summary>Set DF; ignore the path's known MTU.</summary>
    Probe = 3,
    /// <summary>No DF, the interface's MTU only, and ICMP's MTU messages are ignored.</summary>
    Interface = 4,
    /// <summary>As <see cref="Interface"/>, but packets may be fragmented on the way out.</summary>
    Omit = 5,
}

/// <summary>Flags of send and receive calls, and of <see cref="MsgHdr.Flags"/>.</summary>
[Flags]
public enum MsgFlags
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>MSG_OOB.</summary>
    Oob = 0x1,
    /// <summary>MSG_PEEK: leave the data in the socket.</summary>
    Peek = 0x2,
    /// <summary>MSG_CTRUNC: control data was cut.</summary>
    ControlTruncated = 0x8,
    /// <summary>MSG_TRUNC: return a datagram's real length; on TCP, discard instead of copying.</summary>
    Truncate = 0x20,
    /// <summary>MSG_DONTWAIT.</summary>
    DontWait = 0x40,
    /// <summary>MSG_EOR.</summary>
    EndOfRecord = 0x80,
    /// <summary>MSG_WAITALL.</summary>
    WaitAll = 0x100,
    /// <summary>MSG_ERRQUEUE: read the error queue.</summary>
    ErrorQueue = 0x2000,
    /// <summary>MSG_NOSIGNAL: no SIGPIPE. The send wrappers here always add it.</summary>
    NoSignal = 0x4000,
    /// <summary>MSG_MORE: more will follow at once.</summary>
    More = 0x8000,
    /// <summary>MSG_WAITFORONE: recvmmsg returns after the first message that does not come at once.</summary>
    WaitForOne = 0x10000,
    /// <summary>MSG_ZEROCOPY.</summary>
    ZeroCopy = 0x4000000,
    /// <summary>MSG_CMSG_CLOEXEC: received descriptors are closed on exec.</summary>
    ControlCloseOnExec = 0x40000000,
}

/// <summary>Which direction shutdown(2) closes.</summary>
public enum ShutdownHow
{
    /// <summary>SHUT_RD.</summary>
    Read = 0,
    /// <summary>SHUT_WR: the peer sees the end of the stream.</summary>
    Write = 1,
    /// <summary>SHUT_RDWR.</summary>
    Both = 2,
}
