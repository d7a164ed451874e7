using NicHost.Consomme.Core;
using NicHost.Consomme.Forwards;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Consomme.Udp;

/// <summary>One of the host's UDP sockets: a guest's, or a port forward's. Options are set only when they change.</summary>
internal sealed class UdpSocket : IForwardPort, IFdHandler, IRoomWaiter
{
    private readonly UdpProtocol _protocol;
    private IFdWatch? _watch;
    private int _fd;
    private bool _merging;
    private MtuDiscover _mtuDiscover = MtuDiscover.Want;

    private UdpSocket(UdpProtocol protocol, int fd, bool v4)
    {
        _protocol = protocol;
        _fd = fd;
        IsV4 = v4;
    }

    public int Fd => _fd;

    public bool IsV4 { get; }

    public bool IsOpen => _fd >= 0;

    /// <summary>The guest's flow; null for a forward.</summary>
    public UdpFlow? Flow { get; set; }

    /// <summary>The forward; null for a guest's flow.</summary>
    public Forward? Forward { get; private set; }

    Forward IForwardPort.Forward
    {
        get => Forward!;
        set => Forward = value;
    }

    /// <summary>Where a forward listens.</summary>
    public UdpEnd Bound { get; private init; }

    public IpAddr Host => Bound.Address;

    public ushort Port => Bound.Port;

    /// <summary>Queue of the guest that answers go to.</summary>
    public int Queue { get; set; }

    /// <summary>TTL that is set on the socket.</summary>
    public int HopLimit { get; private set; } = -1;

    /// <summary>Receives still to be made with room for a super-frame, after one came.</summary>
    public int ExpectSuper { get; set; }

    /// <summary>Datagrams to make room for in the next call: twice what the last one brought, so that question and answer stay cheap.</summary>
    public int ExpectMany { get; set; } = 2;

    /// <summary>First and last of this socket's messages in the batch that is being gathered; −1 for none.</summary>
    public int FirstPending { get; set; } = -1;

    public int LastPending { get; set; } = -1;

    public bool IsWaiting { get; set; }

    /// <summary>Opens a socket on any port.</summary>
    public static SysResult Open(UdpProtocol protocol, bool v4, out UdpSocket? socket)
    {
        socket = null;
        var made = Sockets.CreateUdp(Sock.Family(v4));
        if (made.Failed) return made;
        Prepare(made.Fd, v4);
        // Bound at once: the port stays the same whatever is sent where.
        var bound = Sockets.Bind(made.Fd, v4 ? SockAddr.FromIpv4(0u, 0) : SockAddr.FromIpv6(UInt128.Zero, 0));
        if (bound.Failed)
        {
            Io.Close(made.Fd);
            return bound;
        }
        socket = new UdpSocket(protocol, made.Fd, v4);
        return made;
    }

    /// <summary>Opens a forward's socket.</summary>
    /// <exception cref="IOException">The host refuses.</exception>
    public static UdpSocket Listen(UdpProtocol protocol, IEventLoop loop, Forward forward, bool overlaps)
    {
        var v4 = forward.Host.IsV4;
        var fd = ForwardSocket.Open(forward, Sockets.CreateUdp(Sock.Family(v4)), made =>
        {
            Prepare(made, v4);
            if (overlaps) ForwardSocket.AllowOverlap(made, true);
            if (!v4) Sockets.SetOption(made, SocketLevel.Ipv6, Ipv6Option.V6Only, 1);
            if (forward.Host.IsUnspecified) Sockets.SetOption(made, Sock.Level(v4), v4 ? IpOption.PktInfo : Ipv6Option.RecvPktInfo, 1);
            return Sockets.Bind(made, Sock.Address(forward.Host, forward.HostPort));
        });
        if (overlaps) ForwardSocket.AllowOverlap(fd, false);
        Sockets.GetSockName(fd, out var name);
        var socket = new UdpSocket(protocol, fd, v4) { Forward = forward, Bound = new UdpEnd(forward.Host, name.Port) };
        socket._watch = ForwardSocket.Watch(forward, loop, fd, socket);
        return socket;
    }

    public void Watch(IEventLoop loop) => _watch = loop.Watch(_fd, FdEvents.Readable, this);

    public void OnEvents(FdEvents events)
    {
        if ((events & FdEvents.Error) != 0 && IsOpen) _protocol.Errors.Drain(this);
        if ((events & FdEvents.Readable) != 0 && IsOpen && !IsWaiting) _protocol.Receiver.Receive(this);
    }

    /// <summary>Stops reading until the guest has buffers.</summary>
    public void PauseForRoom(IGuestPort port)
    {
        if (_watch is not null) _watch.Events = FdEvents.None;
        port.WaitForRoom(Queue, this);
    }

    public void RoomAvailable()
    {
        if (!IsOpen) return;
        if (_watch is not null) _watch.Events = FdEvents.Readable;
        _protocol.Receiver.Receive(this);
    }

    public void SetHopLimit(int hopLimit)
    {
        HopLimit = hopLimit;
        Sockets.SetOption(_fd, Sock.Level(IsV4), IsV4 ? IpOption.Ttl : Ipv6Option.UnicastHops, hopLimit);
    }

    /// <summary>Whether the kernel merges datagrams of one size: worth it where the guest takes them merged.</summary>
    public void SetMerging(bool merging)
    {
        if (merging == _merging) return;
        _merging = merging;
        Sockets.SetOption(_fd, SocketLevel.Udp, UdpOption.Gro, merging ? 1 : 0);
    }

    public bool NeedsMtuDiscover(MtuDiscover mode) => mode != _mtuDiscover;

    public void SetMtuDiscover(MtuDiscover mode)
    {
        _mtuDiscover = mode;
        Sockets.SetOption(_fd, Sock.Level(IsV4), IsV4 ? IpOption.MtuDiscover : Ipv6Option.MtuDiscover, (int)mode);
    }

    public void AllowOverlap(bool allow) => ForwardSocket.AllowOverlap(_fd, allow);

    public void Retire() => Dispose();

    public void Dispose()
    {
        if (_fd < 0) return;
        IsWaiting = false;
        _watch?.Dispose();
        Io.Close(_fd);
        _fd = -1;
    }

    private static void Prepare(int fd, bool v4)
    {
        Sockets.SetOption(fd, Sock.Level(v4), v4 ? IpOption.RecvErr : Ipv6Option.RecvErr, 1);
        Sockets.SetOption(fd, Sock.Level(v4), v4 ? IpOption.RecvTos : Ipv6Option.RecvTclass, 1);
    }
}
