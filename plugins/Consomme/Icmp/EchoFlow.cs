using NicHost.Consomme.Core;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Consomme.Icmp;

/// <summary>One ping of the guest: an address and an identifier, with a ping socket of its own, whatever it pings.</summary>
internal sealed class EchoFlow : IFdHandler, IDisposable
{
    private readonly EchoProtocol _protocol;
    private readonly IFdWatch _watch;
    private MtuDiscover _mtuDiscover = MtuDiscover.Want;

    public EchoFlow(EchoProtocol protocol, IEventLoop loop, int fd, IpAddr guest, ushort id)
    {
        _protocol = protocol;
        Fd = fd;
        Guest = guest;
        Id = id;
        Sockets.SetOption(fd, Sock.Level(IsV4), IsV4 ? IpOption.RecvErr : Ipv6Option.RecvErr, 1);
        Sockets.SetOption(fd, Sock.Level(IsV4), IsV4 ? IpOption.RecvTtl : Ipv6Option.RecvHopLimit, 1);
        _watch = loop.Watch(fd, FdEvents.Readable, this);
    }

    public int Fd { get; private set; }

    public IpAddr Guest { get; }

    public bool IsV4 => Guest.IsV4;

    /// <summary>The guest's identifier; the kernel puts one of its own on the wire.</summary>
    public ushort Id { get; }

    public int Queue { get; set; }

    public long LastUsed { get; set; }

    public long Sent { get; set; }

    public long Received { get; set; }

    public void OnEvents(FdEvents events)
    {
        if ((events & FdEvents.Error) != 0 && Fd >= 0) _protocol.DrainErrors(this);
        if ((events & FdEvents.Readable) != 0 && Fd >= 0) _protocol.Receive(this);
    }

    public void SetMtuDiscover(MtuDiscover mode)
    {
        if (mode == _mtuDiscover) return;
        _mtuDiscover = mode;
        Sockets.SetOption(Fd, Sock.Level(IsV4), IsV4 ? IpOption.MtuDiscover : Ipv6Option.MtuDiscover, (int)mode);
    }

    public void Dispose()
    {
        if (Fd < 0) return;
        _watch.Dispose();
        Io.Close(Fd);
        Fd = -1;
    }
}
