namespace NicHost.Linux;

/// <summary>
/// Sockets on raw descriptors for the data path: non-blocking, closed on exec, errors as values, SIGPIPE never raised, EINTR retried.
/// </summary>
public static unsafe partial class Sockets
{
    /// <summary>AF_UNIX.</summary>
    public const int AfUnix = 1;
    /// <summary>AF_INET.</summary>
    public const int AfInet = 2;
    /// <summary>AF_INET6.</summary>
    public const int AfInet6 = 10;
    /// <summary>SOCK_STREAM.</summary>
    public const int Stream = 1;
    /// <summary>SOCK_DGRAM.</summary>
    public const int Datagram = 2;
    /// <summary>SOCK_SEQPACKET.</summary>
    public const int SeqPacket = 5;
    /// <summary>IPPROTO_ICMP: with <see cref="Datagram"/>, a ping socket.</summary>
    public const int ProtocolIcmp = 1;
    /// <summary>IPPROTO_TCP.</summary>
    public const int ProtocolTcp = 6;
    /// <summary>IPPROTO_UDP.</summary>
    public const int ProtocolUdp = 17;
    /// <summary>IPPROTO_ICMPV6: with <see cref="Datagram"/>, a ping socket.</summary>
    public const int ProtocolIcmpv6 = 58;

    internal const int NonBlock = 0x800;
    internal const int CloExec = 0x80000;

    /// <summary>socket(2), non-blocking and closed on exec.</summary>
    /// <param name="family">An Af constant.</param>
    /// <param name="type"><see cref="Stream"/>, <see cref="Datagram"/> or <see cref="SeqPacket"/>.</param>
    /// <param name="protocol">A Protocol constant, or 0.</param>
    /// <returns>The descriptor, the caller's to close.</returns>
    public static SysResult Create(int family, int type, int protocol = 0) =>
        SysResult.From(Libc.socket(family, type | NonBlock | CloExec, protocol));

    /// <summary>A TCP socket, non-blocking.</summary>
    /// <param name="family"><see cref="AfInet"/> or <see cref="AfInet6"/>.</param>
    public static SysResult CreateTcp(int family) => Create(family, Stream, ProtocolTcp);

    /// <summary>A UDP socket, non-blocking.</summary>
    /// <param name="family"><see cref="AfInet"/> or <see cref="AfInet6"/>.</param>
    public static SysResult CreateUdp(int family) => Create(family, Datagram, ProtocolUdp);

    /// <summary>A ping socket, non-blocking. EACCES where net.ipv4.ping_group_range leaves our group out.</summary>
    /// <param name="family"><see cref="AfInet"/> or <see cref="AfInet6"/>.</param>
    public static SysResult CreatePing(int family) =>
        Create(family, Datagram, family == AfInet ? ProtocolIcmp : ProtocolIcmpv6);

    /// <summary>bind(2).</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="address">Where to; port 0 lets the kernel choose.</param>
    public static SysResult Bind(int fd, in SockAddr address)
    {
        // SAFETY: pinned; Length is at most the structure's size.
        fixed (SockAddr* p = &address) return SysResult.From(Libc.bind(fd, p, (uint)address.Length));
    }

    /// <summary>
    /// connect(2). A stream socket returns EINPROGRESS: writable means done, SO_ERROR says how. Not retried on EINTR (the attempt goes on).
    /// </summary>
    /// <param name="fd">A socket.</param>
    /// <param name="address">Where to.</param>
    public static SysResult Connect(int fd, in SockAddr address)
    {
        // SAFETY: pinned; Length is at most the structure's size.
        fixed (SockAddr* p = &address) return SysResult.From(Libc.connect(fd, p, (uint)address.Length));
    }

    /// <summary>Dissolves a datagram socket's association (connect to AF_UNSPEC).</summary>
    /// <param name="fd">A datagram socket.</param>
    public static SysResult Disconnect(int fd)
    {
        SockAddr none = default;
        return SysResult.From(Libc.connect(fd, &none, SockAddr.MaxLength));
    }

    /// <summary>listen(2).</summary>
    /// <param name="fd">A bound stream socket.</param>
    /// <param name="backlog">Connections to hold until they are accepted; capped by net.core.somaxconn.</param>
    public static SysResult Listen(int fd, int backlog) => SysResult.From(Libc.listen(fd, backlog));

    /// <summary>accept4(2); the new socket is non-blocking and closed on exec.</summary>
    /// <param name="fd">A listening IP socket.</param>
    /// <param name="peer">Who connected.</param>
    /// <returns>The new descriptor, the caller's to close.</returns>
    public static SysResult Accept(int fd, out SockAddr peer)
    {
        SockAddr from = default;
        SysResult result;
        uint length;
        do
        {
            length = SockAddr.MaxLength;
        }
        while (!SysResult.Finished(Libc.accept4(fd, &from, &length, NonBlock | CloExec), out result));
        peer = from;
        return result;
    }

    /// <summary>getsockname(2).</summary>
    /// <param name="fd">An IP socket.</param>
    /// <param name="address">Our address.</param>
    public static SysResult GetSockName(int fd, out SockAddr address)
    {
        SockAddr found = default;
        uint length = SockAddr.MaxLength;
        SysResult result = SysResult.From(Libc.getsockname(fd, &found, &length));
        address = found;
        return result;
    }

    /// <summary>getpeername(2).</summary>
    /// <param name="fd">A connected IP socket.</param>
    /// <param name="address">The peer's address.</param>
    public static SysResult GetPeerName(int fd, out SockAddr address)
    {
        SockAddr found = default;
        uint length = SockAddr.MaxLength;
        SysResult result = SysResult.From(Libc.getpeername(fd, &found, &length));
        address = found;
        return result;
    }

    /// <summary>shutdown(2).</summary>
    /// <param name="fd">A connected socket.</param>
    /// <param name="how">Which direction.</param>
    public static SysResult Shutdown(int fd, ShutdownHow how) => SysResult.From(Libc.shutdown(fd, (int)how));

    /// <summary>Closes so that the peer gets a reset instead of a FIN (SO_LINGER with zero seconds).</summary>
    /// <param name="fd">A TCP socket; closed on return.</param>
    public static void CloseWithReset(int fd)
    {
        SetOption(fd, SocketLevel.Socket, SocketOption.Linger, new Linger { OnOff = 1, Seconds = 0 });
        Io.Close(fd);
    }
}
