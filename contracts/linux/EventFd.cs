namespace NicHost.Linux;

/// <summary>An eventfd: a counter that makes a descriptor readable. Non-blocking, closed on exec.</summary>
public sealed unsafe class EventFd : IDisposable
{
    private const int CloExec = 0x80000;
    private const int NonBlock = 0x800;

    private readonly Fd _fd;

    /// <summary>Creates one with the counter at zero.</summary>
    /// <exception cref="LinuxException">No descriptors left.</exception>
    public EventFd() => _fd = new Fd((int)SysResult.From(Libc.eventfd(0, CloExec | NonBlock)).OrThrow("create an eventfd"));

    /// <summary>Takes over one that came from elsewhere; its blocking mode stays as it is.</summary>
    /// <param name="fd">Owned by this object from now on.</param>
    public EventFd(Fd fd) => _fd = fd;

    /// <summary>The descriptor, for epoll and for sending to a peer.</summary>
    public int Raw => _fd.Raw;

    /// <summary>Adds one to the counter: the descriptor becomes readable.</summary>
    public SysResult Signal() => Signal(_fd.Raw);

    /// <summary>Sets the counter to zero.</summary>
    /// <returns>The counter before (as a word), 0 when it was zero already.</returns>
    public SysResult Drain() => Drain(_fd.Raw);

    /// <inheritdoc/>
    public void Dispose() => _fd.Dispose();

    /// <summary>Adds one to an eventfd's counter. A full counter counts as success: the reader is signalled already.</summary>
    /// <param name="fd">An eventfd, or whatever a peer has sent as one: then any error may come back.</param>
    public static SysResult Signal(int fd)
    {
        ulong one = 1;

        // SAFETY: eight bytes of a local.
        SysResult result = Io.Write(fd, new ReadOnlySpan<byte>(&one, sizeof(ulong)));
        return result.WouldBlock ? new SysResult(0) : result;
    }

    /// <summary>Sets an eventfd's counter to zero.</summary>
    /// <param name="fd">A non-blocking eventfd, or whatever a peer has sent as one: then any error may come back.</param>
    /// <returns>The counter before, 0 when it was zero already.</returns>
    public static SysResult Drain(int fd)
    {
        ulong counter = 0;

        // SAFETY: eight bytes of a local.
        SysResult result = Io.Read(fd, new Span<byte>(&counter, sizeof(ulong)));
        if (result.Failed) return result.WouldBlock ? new SysResult(0) : result;
        return new SysResult((nint)Math.Min(counter, long.MaxValue));
    }
}
