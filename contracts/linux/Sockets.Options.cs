using System.Runtime.CompilerServices;

namespace NicHost.Linux;

/// <content>Options and queue sizes.</content>
public static unsafe partial class Sockets
{
    private const nuint FionRead = 0x541B;      // SIOCINQ
    private const nuint TiocOutQ = 0x5411;      // SIOCOUTQ
    private const nuint SiocOutQNsd = 0x894B;

    /// <summary>setsockopt(2) with an int.</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="level">A <see cref="SocketLevel"/>.</param>
    /// <param name="option">An option at that level.</param>
    /// <param name="value">Its value.</param>
    public static SysResult SetOption(int fd, int level, int option, int value) =>
        SysResult.From(Libc.setsockopt(fd, level, option, &value, sizeof(int)));

    /// <summary>setsockopt(2) with a structure.</summary>
    /// <typeparam name="T">The option's structure, with the kernel's layout.</typeparam>
    /// <param name="fd">A socket.</param>
    /// <param name="level">A <see cref="SocketLevel"/>.</param>
    /// <param name="option">An option at that level.</param>
    /// <param name="value">Its value.</param>
    public static SysResult SetOption<T>(int fd, int level, int option, in T value)
        where T : unmanaged
    {
        // SAFETY: pinned; the length is T's.
        fixed (T* p = &value) return SysResult.From(Libc.setsockopt(fd, level, option, p, (uint)sizeof(T)));
    }

    /// <summary>setsockopt(2) with bytes, such as an interface's name.</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="level">A <see cref="SocketLevel"/>.</param>
    /// <param name="option">An option at that level.</param>
    /// <param name="value">Its value.</param>
    public static SysResult SetOptionBytes(int fd, int level, int option, ReadOnlySpan<byte> value)
    {
        // SAFETY: pinned for the call.
        fixed (byte* p = value) return SysResult.From(Libc.setsockopt(fd, level, option, p, (uint)value.Length));
    }

    /// <summary>getsockopt(2) with an int.</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="level">A <see cref="SocketLevel"/>.</param>
    /// <param name="option">An option at that level.</param>
    /// <param name="value">Its value, 0 on failure.</param>
    public static SysResult GetOption(int fd, int level, int option, out int value) => GetOption<int>(fd, level, option, out value);

    /// <summary>getsockopt(2) with a structure. An older kernel may fill less of it; the rest is zero.</summary>
    /// <typeparam name="T">The option's structure, with the kernel's layout.</typeparam>
    /// <param name="fd">A socket.</param>
    /// <param name="level">A <see cref="SocketLevel"/>.</param>
    /// <param name="option">An option at that level.</param>
    /// <param name="value">Its value.</param>
    /// <returns>Bytes filled.</returns>
    public static SysResult GetOption<T>(int fd, int level, int option, out T value)
        where T : unmanaged
    {
        T found = default;
        uint length = (uint)sizeof(T);
        SysResult result = SysResult.From(Libc.getsockopt(fd, level, option, &found, &length));
        value = found;
        return result.Ok ? new SysResult((nint)length) : result;
    }

    /// <summary>SO_ERROR: takes the pending error, such as how a connect ended.</summary>
    /// <param name="fd">A socket.</param>
    /// <returns>The error, or <see cref="Errno.None"/>.</returns>
    public static Errno TakeError(int fd)
    {
        SysResult result = GetOption(fd, SocketLevel.Socket, SocketOption.Error, out int error);
        return result.Ok ? (Errno)error : result.Error;
    }

    /// <summary>TCP_INFO.</summary>
    /// <param name="fd">A TCP socket.</param>
    /// <param name="info">What the kernel knows; what it does not know is zero.</param>
    /// <returns>Bytes filled; compare with <see cref="TcpInfo.SizeWithSndWnd"/>.</returns>
    public static SysResult GetTcpInfo(int fd, out TcpInfo info) => GetOption(fd, SocketLevel.Tcp, TcpOption.Info, out info);

    /// <summary>SO_MEMINFO.</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="memory">Memory of the socket's queues.</param>
    public static SysResult GetMemory(int fd, out SocketMemory memory) =>
        GetOption(fd, SocketLevel.Socket, SocketOption.MemInfo, out memory);

    /// <summary>SO_PEEK_OFF: where MSG_PEEK starts; -1 turns it off.</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="offset">Bytes from the first unread one.</param>
    /// <returns>ENOPROTOOPT or EOPNOTSUPP where the kernel has it not (TCP before Linux 6.9).</returns>
    public static SysResult SetPeekOffset(int fd, int offset) => SetOption(fd, SocketLevel.Socket, SocketOption.PeekOff, offset);

    /// <summary>SIOCOUTQ: bytes in the send queue, for TCP those not yet acknowledged.</summary>
    /// <param name="fd">A socket.</param>
    public static SysResult SendQueue(int fd) => Query(fd, TiocOutQ);

    /// <summary>SIOCOUTQNSD: bytes in the send queue that have not been sent yet.</summary>
    /// <param name="fd">A TCP socket.</param>
    public static SysResult SendQueueUnsent(int fd) => Query(fd, SiocOutQNsd);

    /// <summary>SIOCINQ: bytes to read (TCP), or the size of the next datagram.</summary>
    /// <param name="fd">A socket.</param>
    public static SysResult ReceiveQueue(int fd) => Query(fd, FionRead);

    /// <summary>SO_BINDTODEVICE.</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="name">The interface's name; empty lifts the binding.</param>
    public static SysResult BindToDevice(int fd, string name) =>
        SetOptionBytes(fd, SocketLevel.Socket, SocketOption.BindToDevice, ThisProcess.ZeroTerminated(name));

    [SkipLocalsInit]
    private static SysResult Query(int fd, nuint request)
    {
        int value = 0;
        SysResult result = SysResult.From(Libc.ioctl(fd, request, &value));
        return result.Ok ? new SysResult(value) : result;
    }
}
