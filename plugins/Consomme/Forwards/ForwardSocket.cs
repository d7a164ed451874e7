using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Consomme.Forwards;

/// <summary>What the sockets of both protocols' forwards have in common.</summary>
internal static class ForwardSocket
{
    /// <summary>
    /// SO_REUSEPORT for a moment. Left on, a second process of the same user could share the port unnoticed, instead of being told that it is
    /// taken.
    /// </summary>
    public static void AllowOverlap(int fd, bool allow) => Sockets.SetOption(fd, SocketLevel.Socket, SocketOption.ReusePort, allow ? 1 : 0);

    /// <summary>Makes a socket ready to listen, or closes it.</summary>
    /// <param name="forward">For the message.</param>
    /// <param name="created">What socket(2) returned.</param>
    /// <param name="prepare">Sets its options, binds it, and whatever follows.</param>
    /// <exception cref="IOException">The host refuses.</exception>
    public static int Open(Forward forward, SysResult created, Func<int, SysResult> prepare)
    {
        if (created.Failed) throw Refused(forward, created.Error);
        var result = prepare(created.Fd);
        if (result.Ok) return created.Fd;
        Io.Close(created.Fd);
        throw Refused(forward, result.Error);
    }

    /// <exception cref="IOException">The host's limit on watched descriptors; the socket is closed.</exception>
    public static IFdWatch Watch(Forward forward, IEventLoop loop, int fd, IFdHandler handler)
    {
        try
        {
            return loop.Watch(fd, FdEvents.Readable, handler);
        }
        catch (InvalidOperationException e)
        {
            Io.Close(fd);
            throw new IOException($"The forward \"{forward.Text}\" cannot be watched: {e.Message} Raise fs.epoll.max_user_watches, or forward fewer ports.", e);
        }
    }

    private static IOException Refused(Forward forward, Errno error) => new(
        $"The forward \"{forward.Text}\" cannot listen on {forward.Host} port {forward.HostPort}: {LinuxException.Describe(error)}. {Remedy(error)}");

    private static string Remedy(Errno error) => error switch
    {
        Errno.EADDRINUSE => "Somebody has this port: choose another host port in \"forwards\", or end the program that listens there.",
        Errno.EACCES => "Ports below net.ipv4.ip_unprivileged_port_start need a right that this process lacks: choose a higher host port in \"forwards\".",
        Errno.EADDRNOTAVAIL => "This host has no such address: correct the host address in \"forwards\", or leave it out for all addresses.",
        Errno.EAFNOSUPPORT => "This host has no IPv6: use an IPv4 host address in \"forwards\".",
        Errno.EMFILE or Errno.ENFILE => "Raise the limit on open files (ulimit -n), or forward fewer ports.",
        _ => "Correct or remove this entry of \"forwards\".",
    };
}
