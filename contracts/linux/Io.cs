using System.Runtime.CompilerServices;

namespace NicHost.Linux;

/// <summary>Reading, writing and controlling descriptors. EINTR is retried in all of them.</summary>
public static unsafe class Io
{
    private const int FGetFl = 3;
    private const int FSetFl = 4;
    private const int FDupFdCloExec = 1030;
    private const int ONonBlock = 0x800;
    private const int CloseOnExec = 0x80000;

    /// <summary>read(2).</summary>
    /// <param name="fd">An open descriptor.</param>
    /// <param name="buffer">Where to put what comes.</param>
    /// <returns>Bytes read, 0 at the end of the file.</returns>
    public static SysResult Read(int fd, Span<byte> buffer)
    {
        // SAFETY: pinned for the call; the kernel writes at most buffer.Length bytes.
        fixed (byte* p = buffer)
        {
            while (true)
            {
                if (SysResult.Finished(Libc.read(fd, p, (nuint)buffer.Length), out SysResult result)) return result;
            }
        }
    }

    /// <summary>write(2). May write less than asked.</summary>
    /// <param name="fd">An open descriptor.</param>
    /// <param name="buffer">What to write.</param>
    /// <returns>Bytes written.</returns>
    public static SysResult Write(int fd, ReadOnlySpan<byte> buffer)
    {
        // SAFETY: pinned for the call; the kernel reads at most buffer.Length bytes.
        fixed (byte* p = buffer)
        {
            while (true)
            {
                if (SysResult.Finished(Libc.write(fd, p, (nuint)buffer.Length), out SysResult result)) return result;
            }
        }
    }

    /// <summary>readv(2).</summary>
    /// <param name="fd">An open descriptor.</param>
    /// <param name="segments">Up to <see cref="IoVec.MaxCount"/> runs of memory, which the caller keeps in place.</param>
    /// <returns>Bytes read, 0 at the end of the file.</returns>
    public static SysResult ReadV(int fd, ReadOnlySpan<IoVec> segments)
    {
        // SAFETY: the array is pinned; what it points to is the caller's, as documented.
        fixed (IoVec* p = segments)
        {
            while (true)
            {
                if (SysResult.Finished(Libc.readv(fd, p, segments.Length), out SysResult result)) return result;
            }
        }
    }

    /// <summary>writev(2). May write less than asked.</summary>
    /// <param name="fd">An open descriptor.</param>
    /// <param name="segments">Up to <see cref="IoVec.MaxCount"/> runs of memory, which the caller keeps in place.</param>
    /// <returns>Bytes written.</returns>
    public static SysResult WriteV(int fd, ReadOnlySpan<IoVec> segments)
    {
        // SAFETY: the array is pinned; what it points to is the caller's, as documented.
        fixed (IoVec* p = segments)
        {
            while (true)
            {
                if (SysResult.Finished(Libc.writev(fd, p, segments.Length), out SysResult result)) return result;
            }
        }
    }

    /// <summary>open(2), closed on exec. For devices, namespaces and what else the framework's file API has no words for.</summary>
    /// <param name="path">An existing file.</param>
    /// <param name="access">Which rights.</param>
    /// <param name="nonBlocking">O_NONBLOCK.</param>
    /// <returns>The descriptor, the caller's to close.</returns>
    public static SysResult Open(string path, FileAccess access, bool nonBlocking = false)
    {
        int flags = CloseOnExec | (nonBlocking ? ONonBlock : 0) | access switch
        {
            FileAccess.Read => 0,
            FileAccess.Write => 1,
            _ => 2,
        };

        // SAFETY: the array is terminated and pinned.
        fixed (byte* p = ThisProcess.ZeroTerminated(path))
        {
            while (true)
            {
                if (SysResult.Finished(Libc.open(p, flags, 0), out SysResult result)) return result;
            }
        }
    }

    /// <summary>close(2), once: on Linux the descriptor is gone whatever is returned.</summary>
    /// <param name="fd">The descriptor; negative ones are ignored.</param>
    public static void Close(int fd)
    {
        if (fd >= 0) Libc.close(fd);
    }

    /// <summary>Another descriptor for the same open file, closed on exec (F_DUPFD_CLOEXEC).</summary>
    /// <param name="fd">An open descriptor.</param>
    /// <returns>The new descriptor, the caller's to close.</returns>
    public static SysResult Duplicate(int fd) => SysResult.From(Libc.fcntl(fd, FDupFdCloExec, 0));

    /// <summary>Sets or clears O_NONBLOCK, for descriptors that came from elsewhere.</summary>
    /// <param name="fd">An open descriptor.</param>
    /// <param name="nonBlocking">Whether calls on it shall return EAGAIN instead of waiting.</param>
    public static SysResult SetNonBlocking(int fd, bool nonBlocking)
    {
        SysResult flags = SysResult.From(Libc.fcntl(fd, FGetFl, 0));
        if (flags.Failed) return flags;
        nint wanted = nonBlocking ? flags.Value | ONonBlock : flags.Value & ~(nint)ONonBlock;
        return wanted == flags.Value ? new SysResult(0) : SysResult.From(Libc.fcntl(fd, FSetFl, wanted));
    }

    /// <summary>fcntl(2) with an integer argument.</summary>
    /// <param name="fd">An open descriptor.</param>
    /// <param name="command">An F_ constant.</param>
    /// <param name="argument">Its argument.</param>
    public static SysResult Control(int fd, int command, nint argument)
    {
        while (true)
        {
            if (SysResult.Finished(Libc.fcntl(fd, command, argument), out SysResult result)) return result;
        }
    }

    /// <summary>ioctl(2) on a structure.</summary>
    /// <typeparam name="T">The structure that the request reads or writes, with its exact layout.</typeparam>
    /// <param name="fd">An open descriptor.</param>
    /// <param name="request">The request's number.</param>
    /// <param name="argument">Read or written, as the request says.</param>
    public static SysResult Ioctl<T>(int fd, nuint request, ref T argument)
        where T : unmanaged
    {
        // SAFETY: pinned for the call; the request's size is that of T, which the caller chose for it.
        fixed (T* p = &argument)
        {
            while (true)
            {
                if (SysResult.Finished(Libc.ioctl(fd, request, p), out SysResult result)) return result;
            }
        }
    }

    /// <summary>ioctl(2) with a number.</summary>
    /// <param name="fd">An open descriptor.</param>
    /// <param name="request">The request's number.</param>
    /// <param name="argument">The number.</param>
    public static SysResult Ioctl(int fd, nuint request, nint argument)
    {
        while (true)
        {
            // SAFETY: such a request takes its argument as a number, and the kernel does not follow it.
            if (SysResult.Finished(Libc.ioctl(fd, request, (void*)argument), out SysResult result)) return result;
        }
    }

    /// <summary>poll(2).</summary>
    /// <param name="fds">What to wait for; results are written into it.</param>
    /// <param name="timeoutMs">Milliseconds, 0 to look only, -1 for ever. After EINTR the wait starts anew.</param>
    /// <returns>How many have results.</returns>
    public static SysResult Poll(Span<PollFd> fds, int timeoutMs)
    {
        // SAFETY: pinned for the call; the kernel writes the Returned fields only.
        fixed (PollFd* p = fds)
        {
            while (true)
            {
                if (SysResult.Finished(Libc.poll(p, (nuint)fds.Length, timeoutMs), out SysResult result)) return result;
            }
        }
    }

    /// <summary>Waits for one descriptor.</summary>
    /// <param name="fd">An open descriptor.</param>
    /// <param name="events">What to wait for.</param>
    /// <param name="timeoutMs">Milliseconds, 0 to look only, -1 for ever.</param>
    /// <returns>What is there; none when the time ran out.</returns>
    [SkipLocalsInit]
    public static PollEvents Poll(int fd, PollEvents events, int timeoutMs)
    {
        PollFd one = new() { Fd = fd, Events = events };
        SysResult result = Poll(new Span<PollFd>(ref one), timeoutMs);
        return result.Count > 0 ? one.Returned : PollEvents.None;
    }
}
