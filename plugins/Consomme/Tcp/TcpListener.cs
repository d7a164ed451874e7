using NicHost.Consomme.Core;
using NicHost.Consomme.Forwards;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <summary>One forwarded port of the host. While it is paused the kernel holds the connections.</summary>
internal sealed class TcpListener : IForwardPort, IFdHandler
{
    // The kernel's queue of connections that nobody has accepted yet; it caps this at net.core.somaxconn.
    private const int Backlog = 512;
    private const int AcceptsPerWakeUp = 32;

    private readonly TcpProtocol _owner;
    private readonly IFdWatch _watch;
    private readonly int _fd;

    /// <exception cref="IOException">The host refuses; the message names the forward.</exception>
    public TcpListener(TcpProtocol owner, IEventLoop loop, Forward forward, bool overlaps)
    {
        _owner = owner;
        Forward = forward;
        Host = forward.Host;
        var address = Sock.Address(forward.Host, forward.HostPort);
        _fd = ForwardSocket.Open(forward, Sockets.CreateTcp(address.Family), fd => Prepare(fd, address, overlaps));
        if (overlaps) AllowOverlap(false);
        Sockets.GetSockName(_fd, out var local);
        Port = local.Port;
        _watch = ForwardSocket.Watch(forward, loop, _fd, this);
    }

    public Forward Forward { get; set; }

    public IpAddr Host { get; }

    public ushort Port { get; }

    public bool IsPaused { get; private set; }

    public long Accepted { get; private set; }

    public void OnEvents(FdEvents events) => Accept(AcceptsPerWakeUp);

    public void AllowOverlap(bool allow) => ForwardSocket.AllowOverlap(_fd, allow);

    public void Pause()
    {
        IsPaused = true;
        _watch.Events = FdEvents.None;
    }

    public void Resume()
    {
        IsPaused = false;
        _watch.Events = FdEvents.Readable;
    }

    public void Retire()
    {
        // To their clients these are connected already.
        Accept(Backlog);
        Dispose();
    }

    public void Dispose()
    {
        _watch.Dispose();
        Io.Close(_fd);
    }

    private void Accept(int most)
    {
        for (var i = 0; i < most && !IsPaused; i++)
        {
            if (!_owner.MayAccept(this)) return;
            var accepted = Sockets.Accept(_fd, out var peer);
            if (accepted.WouldBlock) return;
            if (accepted.Failed)
            {
                // ECONNABORTED and the network errors of accept(2) belong to one connection: on to the next.
                if (accepted.Error is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM or Errno.ENOBUFS)
                {
                    _owner.AcceptFailed(this, accepted.Error);
                    return;
                }
                continue;
            }
            Accepted++;
            _owner.OpenFromHost(Forward, accepted.Fd, peer);
        }
    }

    private static SysResult Prepare(int fd, in SockAddr address, bool overlaps)
    {
        Sockets.SetOption(fd, SocketLevel.Socket, SocketOption.ReuseAddr, 1);
        if (overlaps) ForwardSocket.AllowOverlap(fd, true);
        if (address.IsIpv6) Sockets.SetOption(fd, SocketLevel.Ipv6, Ipv6Option.V6Only, 1);
        // Accepted sockets inherit these.
        Sockets.SetOption(fd, SocketLevel.Tcp, TcpOption.NoDelay, 1);
        Sockets.SetOption(fd, SocketLevel.Socket, SocketOption.OobInline, 1);
        var bound = Sockets.Bind(fd, address);
        return bound.Failed ? bound : Sockets.Listen(fd, Backlog);
    }
}
