using System.Runtime.InteropServices;
using System.Text;

namespace NicHost.Linux;

/// <summary>Kinds of UNIX sockets used here.</summary>
public enum UnixSocketType
{
    /// <summary>SOCK_STREAM.</summary>
    Stream = Sockets.Stream,
    /// <summary>SOCK_SEQPACKET: connected, and message bounds are kept.</summary>
    SeqPacket = Sockets.SeqPacket,
}

/// <summary>UNIX sockets with paths, peers and passed descriptors. All are non-blocking and closed on exec.</summary>
public static unsafe partial class UnixSocket
{
    private const int PathAt = 2;               // struct sockaddr_un
    private const int AddressLength = 110;

    /// <summary>The longest path, in bytes of UTF-8.</summary>
    public const int MaxPathLength = 107;

    /// <summary>
    /// Creates, binds and listens. A stale socket file of a dead process is replaced; a living one's is not (EADDRINUSE).
    /// The file never has more rights than <paramref name="mode"/>, whatever the umask is.
    /// </summary>
    /// <param name="path">Where; at most <see cref="MaxPathLength"/> bytes.</param>
    /// <param name="type">Which kind.</param>
    /// <param name="mode">Rights of the file; by default only the owner connects.</param>
    /// <param name="backlog">Connections to hold until they are accepted.</param>
    /// <exception cref="LinuxException">The path is in use, too long or not writable.</exception>
    public static Fd Listen(string path, UnixSocketType type = UnixSocketType.Stream, uint mode = 0x180 /* 0600 */, int backlog = 16)
    {
        RemoveStale(path, type);
        Fd fd = Create(type);
        try
        {
            // The new file takes its rights from the socket's inode, less the umask: it starts with no more than asked.
            // chmod on the path widens what the umask took; nobody can connect before listen.
            SysResult.From(Libc.fchmod(fd.Raw, mode)).OrThrow($"set the mode of {path}");
            byte* address = stackalloc byte[AddressLength];
            uint length = Fill(address, path);
            SysResult.From(Libc.bind(fd.Raw, address, length)).OrThrow($"bind {path}");
            SysResult.From(Libc.chmod(address + PathAt, mode)).OrThrow($"set the mode of {path}");
            Sockets.Listen(fd.Raw, backlog).OrThrow($"listen on {path}");
            return fd;
        }
        catch
        {
            fd.Dispose();
            throw;
        }
    }

    /// <summary>Connects.</summary>
    /// <param name="path">Where a process listens.</param>
    /// <param name="type">Which kind.</param>
    /// <exception cref="LinuxException">Nobody listens there (ENOENT, ECONNREFUSED), its backlog is full (EAGAIN), or we may not.</exception>
    public static Fd Connect(string path, UnixSocketType type = UnixSocketType.Stream)
    {
        SysResult result = TryConnect(path, type, out Fd? fd);
        return fd ?? throw new LinuxException(result.Error, $"connect to {path}");
    }

    /// <summary>Connects; errors as values, for code that tries again and again.</summary>
    /// <param name="path">Where a process listens.</param>
    /// <param name="type">Which kind.</param>
    /// <param name="fd">The connection, or null.</param>
    public static SysResult TryConnect(string path, UnixSocketType type, out Fd? fd)
    {
        fd = null;
        byte* address = stackalloc byte[AddressLength];
        uint length = Fill(address, path);
        Fd candidate = Create(type);
        SysResult result;
        while (!SysResult.Finished(Libc.connect(candidate.Raw, address, length), out result))
        {
        }

        if (result.Failed) candidate.Dispose();
        else fd = candidate;
        return result;
    }

    /// <summary>Accepts one connection.</summary>
    /// <param name="listener">A listening UNIX socket.</param>
    /// <returns>The new descriptor, the caller's to close; EAGAIN when nobody waits.</returns>
    public static SysResult Accept(int listener)
    {
        while (true)
        {
            int accepted = Libc.accept4(listener, null, null, Sockets.NonBlock | Sockets.CloExec);
            if (SysResult.Finished(accepted, out SysResult result)) return result;
        }
    }

    /// <summary>Two sockets connected to each other.</summary>
    /// <param name="type">Which kind.</param>
    /// <exception cref="LinuxException">No descriptors left.</exception>
    public static (Fd First, Fd Second) Pair(UnixSocketType type = UnixSocketType.Stream)
    {
        int* pair = stackalloc int[2];
        SysResult.From(Libc.socketpair(Sockets.AfUnix, (int)type | Sockets.NonBlock | Sockets.CloExec, 0, pair)).OrThrow("create a socket pair");
        return (new Fd(pair[0]), new Fd(pair[1]));
    }

    /// <summary>SO_PEERCRED.</summary>
    /// <param name="fd">A connected UNIX socket.</param>
    /// <param name="peer">Who connected, or who listened.</param>
    public static SysResult GetPeer(int fd, out PeerCredentials peer) =>
        Sockets.GetOption(fd, SocketLevel.Socket, SocketOption.PeerCred, out peer);

    /// <summary>
    /// Removes a socket file to which nobody listens (connecting is refused). Files that are no sockets are never touched.
    /// </summary>
    /// <param name="path">Where.</param>
    /// <param name="type">The kind to try with; a living socket of another kind is recognised too.</param>
    /// <returns>True when a stale file was removed.</returns>
    public static bool RemoveStale(string path, UnixSocketType type = UnixSocketType.Stream)
    {
        if (!IsSocketFile(path)) return false;
        SysResult result = TryConnect(path, type, out Fd? alive);
        alive?.Dispose();
        return result.Error == Errno.ECONNREFUSED && Unlink(path).Ok;
    }

    /// <summary>unlink(2): removes a socket file that is ours.</summary>
    /// <param name="path">Where.</param>
    public static SysResult Unlink(string path)
    {
        // SAFETY: the array is terminated and pinned.
        fixed (byte* p = ThisProcess.ZeroTerminated(path)) return SysResult.From(Libc.unlink(p));
    }

    private static bool IsSocketFile(string path)
    {
        StatX stat = default;

        // SAFETY: the array is terminated and pinned; the structure has the kernel's size.
        fixed (byte* p = ThisProcess.ZeroTerminated(path))
        {
            SysResult result = SysResult.From(
                Libc.statx(StatX.AtFdCwd, p, StatX.AtSymlinkNoFollow, StatX.MaskTypeModeSize, &stat));
            return result.Ok && (stat.Mode & StatX.FormatMask) == StatX.FormatSocket;
        }
    }

    private static Fd Create(UnixSocketType type) =>
        new((int)Sockets.Create(Sockets.AfUnix, (int)type).OrThrow("create a UNIX socket"));

    private static uint Fill(byte* address, string path)
    {
        int length = Encoding.UTF8.GetByteCount(path);
        if (length is 0 or > MaxPathLength)
        {
            throw new LinuxException(Errno.ENAMETOOLONG, $"socket path '{path}' has {length} bytes, 1 to {MaxPathLength} are possible");
        }

        // SAFETY: 2 + 107 + 1 bytes are the buffer's size.
        Span<byte> bytes = new(address, AddressLength);
        bytes.Clear();
        MemoryMarshal.Write(bytes, (ushort)Sockets.AfUnix);
        Encoding.UTF8.GetBytes(path, bytes[PathAt..]);
        return (uint)(PathAt + length + 1);
    }
}
