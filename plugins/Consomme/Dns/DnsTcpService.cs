using NicHost.Consomme.Core;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Consomme.Dns;

/// <summary>
/// DNS over TCP (RFC 7766), on a port of the host's loopback where the guest's own flows come out. Whoever was not announced, that is,
/// every other program of the host, is reset.
/// </summary>
internal sealed class DnsTcpService : IDnsTcpService, IFdHandler, IDisposable
{
    private const int Backlog = 128;
    private const int MaxAdmitted = 1024;
    public const int IdleMilliseconds = 30_000;
    private const uint Loopback = 0x7f000001;

    private readonly NatContext _context;
    private readonly DnsForwarder _forwarder;
    private readonly HashSet<DnsTcpConnection> _connections = [];
    private readonly HashSet<ushort> _admitted = [];
    private readonly Queue<ushort> _order = new();
    private readonly ILoopTimer _timer;
    private readonly IFdWatch _watch;
    private readonly int _fd;

    /// <exception cref="IOException">The host refuses a socket.</exception>
    public DnsTcpService(NatContext context, DnsForwarder forwarder)
    {
        _context = context;
        _forwarder = forwarder;
        _fd = (int)Sockets.CreateTcp(Sockets.AfInet).OrThrow("make a socket for DNS over TCP");
        try
        {
            Sockets.Bind(_fd, SockAddr.FromIpv4(Loopback, 0)).OrThrow("bind the socket for DNS over TCP");
            Sockets.Listen(_fd, Backlog).OrThrow("listen for DNS over TCP");
            Sockets.GetSockName(_fd, out var name);
            Port = name.Port;
            _watch = context.Loop.Watch(_fd, FdEvents.Readable, this);
        }
        catch
        {
            Io.Close(_fd);
            throw;
        }
        _timer = context.Loop.CreateTimer(Expire);
    }

    public IpAddr Address { get; } = IpAddr.FromV4(Loopback);

    public ushort Port { get; }

    public void Admit(ushort localPort)
    {
        if (!_admitted.Add(localPort)) return;
        _order.Enqueue(localPort);
        if (_order.Count > MaxAdmitted) _admitted.Remove(_order.Dequeue());
    }

    public void OnEvents(FdEvents events)
    {
        while (true)
        {
            var accepted = Sockets.Accept(_fd, out var peer);
            if (accepted.Failed) return;
            if (peer.Ipv4 != Loopback || !_admitted.Remove(peer.Port) || _connections.Count >= _context.Model.Limits.DnsQueries)
            {
                Sockets.CloseWithReset(accepted.Fd);
                continue;
            }
            _connections.Add(new DnsTcpConnection(this, _forwarder, _context.Loop, accepted.Fd));
            if (!_timer.IsSet) _timer.Set(IdleMilliseconds);
        }
    }

    public void Closed(DnsTcpConnection connection)
    {
        _connections.Remove(connection);
        _forwarder.Forget(connection);
    }

    public void Dispose()
    {
        _timer.Dispose();
        _watch.Dispose();
        foreach (var connection in _connections.ToArray()) connection.Close();
        Io.Close(_fd);
    }

    private void Expire()
    {
        var now = _context.Loop.NowMilliseconds;
        foreach (var connection in _connections.ToArray())
        {
            if (now - connection.LastUsed >= IdleMilliseconds) connection.Close();
        }
        if (_connections.Count > 0) _timer.Set(IdleMilliseconds / 2);
    }
}
