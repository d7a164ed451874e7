using System.Net.Sockets;
using NicHost.Linux;

namespace NicHost.Host.Control;

/// <summary>Where operators reach the host, and who may.</summary>
internal sealed record ControlSocket(string Path)
{
    private const int Backlog = 8;

    /// <summary>Rights of the socket file.</summary>
    public uint Mode { get; init; } = 0x180; // 0600

    /// <summary>Binds and listens; a socket that a dead host left is replaced.</summary>
    /// <exception cref="IOException">Another host answers there, or the path cannot be used; the message has the remedy.</exception>
    public Socket Listen()
    {
        try
        {
            using var fd = UnixSocket.Listen(Path, mode: Mode, backlog: Backlog);
            return new Socket(new SafeSocketHandle(fd.Release(), ownsHandle: true));
        }
        catch (LinuxException e) when (e.Errno == Errno.EADDRINUSE)
        {
            throw new IOException($"The control socket {Path} is in use{Holder()}. Stop that host, choose another socket with --control PATH, or do without with --no-control.", e);
        }
        catch (LinuxException e)
        {
            throw new IOException($"The control socket cannot be made: {e.Message}. Choose another with --control PATH, or do without with --no-control.", e);
        }
    }

    // The kernel remembers who called listen.
    private string Holder()
    {
        if (UnixSocket.TryConnect(Path, UnixSocketType.Stream, out var fd).Failed) return "";
        using (fd) return UnixSocket.GetPeer(fd!.Raw, out var peer).Ok ? $" by process {peer.ProcessId}" : "";
    }
}
