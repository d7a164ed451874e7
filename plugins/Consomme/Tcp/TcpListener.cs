using NicHost.Consomme.Core;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <summary>One forwarded port of the host. While it is paused the kernel holds the connections.</summary>
internal sealed class TcpListener : IFdHandler, IDisposable
{
    // The kernel's queue of connections that nobody has accepted yet; it caps this at net.core.somaxconn.
    private const int Backlog = 512;
    private const int AcceptsPerWakeUp = 32;

    private readonly TcpProtocol _owner;
    private readonly IFdWatch _watch;
    private readonly int _fd;

    public TcpListener(TcpProtocol owner, IEventLoop loop, Forward forward)
    {
        _owner = owner;
        Forward = forward;
        var address = forward.Host.IsV4
            ? SockAddr.FromIpv4(forward.Host.V4, forward.HostPort)
            : SockAddr.FromIpv6(new UInt128(forward.Host.High, forward.Host.Low), forward.HostPort);
        var created = Sockets.CreateTcp(address.Family);
        if (created.Failed) throw Refused(created.Error);
        _fd = created.Fd;
        var result = Prepare(address);
        if (result.Failed)
        {
            Io.Close(_fd);
            throw Refused(result.Error);
        }
        Sockets.GetSockName(_fd, out var local);
        Port = local.Port;
        _watch = loop.Watch(_fd, FdEvents.Readable, this);
    }

    public Forward Forward { get; }

    /// <summary>The port that it listens on: the forward's, or the one that the kernel chose.</summary>
    public ushort Port { get; }

    public bool IsPaused { get; private set; }

    public long Accepted { get; private set; }

    public void OnEvents(FdEvents events)
    {
        for (var i = 0; i < AcceptsPerWakeUp && !IsPaused; i++)
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

    public void Dispose()
    {
        _watch.Dispose();
        Io.Close(_fd);
    }

    private SysResult Prepare(in SockAddr address)
    {
        Sockets.SetOption(_fd, SocketLevel.Socket, SocketOption.ReuseAddr, 1);
        if (address.IsIpv6) Sockets.SetOption(_fd, SocketLevel.Ipv6, Ipv6Option.V6Only, 1);
        // Accepted sockets inherit these.
        Sockets.SetOption(_fd, SocketLevel.Tcp, TcpOption.NoDelay, 1);
        Sockets.SetOption(_fd, SocketLevel.Socket, SocketOption.OobInline, 1);
        var bound = Sockets.Bind(_fd, address);
        return bound.Failed ? bound : Sockets.Listen(_fd, Backlog);
    }

    private IOException Refused(Errno error) => new(
        $"The forward \"{Forward.Text}\" cannot listen on {Forward.Host} port {Forward.HostPort}: {LinuxException.Describe(error)}. " + error switch
        {
            Errno.EADDRINUSE => "Another program has this port: choose another host port in \"forwards\", or end that program.",
            Errno.EACCES => "Ports below net.ipv4.ip_unprivileged_port_start need a right that this process lacks: choose a higher host port in \"forwards\".",
            Errno.EADDRNOTAVAIL => "This host has no such address: correct the host address in \"forwards\", or leave it out for all addresses.",
            Errno.EAFNOSUPPORT => "This host has no IPv6: use an IPv4 host address in \"forwards\".",
            _ => "Correct or remove this entry of \"forwards\".",
        });
}
