namespace NicHost.Linux;

/// <content>Sending and receiving.</content>
public static unsafe partial class Sockets
{
    /// <summary>send(2).</summary>
    /// <param name="fd">A connected socket.</param>
    /// <param name="data">What to send.</param>
    /// <param name="flags">Flags; NoSignal is added.</param>
    /// <returns>Bytes taken, possibly fewer than given.</returns>
    public static SysResult Send(int fd, ReadOnlySpan<byte> data, MsgFlags flags = MsgFlags.None)
    {
        // SAFETY: pinned for the call.
        fixed (byte* p = data)
        {
            while (true)
            {
                nint sent = Libc.send(fd, p, (nuint)data.Length, (int)(flags | MsgFlags.NoSignal));
                if (SysResult.Finished(sent, out SysResult result)) return result;
            }
        }
    }

    /// <summary>recv(2).</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="data">Where to put what comes.</param>
    /// <param name="flags">Flags.</param>
    /// <returns>Bytes received; 0 at the end of a stream.</returns>
    public static SysResult Receive(int fd, Span<byte> data, MsgFlags flags = MsgFlags.None)
    {
        // SAFETY: pinned for the call; the kernel writes at most data.Length bytes.
        fixed (byte* p = data)
        {
            while (true)
            {
                if (SysResult.Finished(Libc.recv(fd, p, (nuint)data.Length, (int)flags), out SysResult result)) return result;
            }
        }
    }

    /// <summary>Throws away received bytes without copying them (recv with MSG_TRUNC and no buffer).</summary>
    /// <param name="fd">A TCP socket.</param>
    /// <param name="count">How many bytes.</param>
    /// <returns>How many were there to be thrown away.</returns>
    public static SysResult Discard(int fd, nuint count)
    {
        while (true)
        {
            // SAFETY: with MSG_TRUNC tcp_recvmsg does not touch the buffer.
            nint discarded = Libc.recv(fd, null, count, (int)(MsgFlags.Truncate | MsgFlags.DontWait));
            if (SysResult.Finished(discarded, out SysResult result)) return result;
        }
    }

    /// <summary>sendto(2).</summary>
    /// <param name="fd">A datagram socket.</param>
    /// <param name="data">What to send.</param>
    /// <param name="to">Where to.</param>
    /// <param name="flags">Flags; NoSignal is added.</param>
    public static SysResult SendTo(int fd, ReadOnlySpan<byte> data, in SockAddr to, MsgFlags flags = MsgFlags.None)
    {
        // SAFETY: both are pinned; Length is at most the structure's size.
        fixed (byte* p = data)
        fixed (SockAddr* address = &to)
        {
            while (true)
            {
                nint sent = Libc.sendto(fd, p, (nuint)data.Length, (int)(flags | MsgFlags.NoSignal), address, (uint)to.Length);
                if (SysResult.Finished(sent, out SysResult result)) return result;
            }
        }
    }

    /// <summary>recvfrom(2).</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="data">Where to put what comes.</param>
    /// <param name="from">Who sent it.</param>
    /// <param name="flags">Flags.</param>
    public static SysResult ReceiveFrom(int fd, Span<byte> data, out SockAddr from, MsgFlags flags = MsgFlags.None)
    {
        SockAddr sender = default;
        SysResult result;

        // SAFETY: pinned for the call; the kernel writes at most data.Length bytes and the address's room.
        fixed (byte* p = data)
        {
            uint length;
            do
            {
                length = SockAddr.MaxLength;
            }
            while (!SysResult.Finished(Libc.recvfrom(fd, p, (nuint)data.Length, (int)flags, &sender, &length), out result));
        }

        from = sender;
        return result;
    }

    /// <summary>sendmsg(2) of segments on a connected socket.</summary>
    /// <param name="fd">A connected socket.</param>
    /// <param name="segments">Memory that the caller keeps in place.</param>
    /// <param name="flags">Flags; NoSignal is added.</param>
    /// <returns>Bytes taken, possibly fewer than given. EFAULT when memory behind a segment has gone.</returns>
    public static SysResult SendMsg(int fd, ReadOnlySpan<IoVec> segments, MsgFlags flags = MsgFlags.None)
    {
        // SAFETY: the array is pinned; what it points to is the caller's, as documented.
        fixed (IoVec* p = segments)
        {
            MsgHdr message = default;
            message.Segments = p;
            message.SegmentCount = (nuint)segments.Length;
            return SendMsg(fd, &message, flags);
        }
    }

    /// <summary>sendmsg(2).</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="message">The message; all it points to is the caller's and stays in place.</param>
    /// <param name="flags">Flags; NoSignal is added.</param>
    public static SysResult SendMsg(int fd, MsgHdr* message, MsgFlags flags = MsgFlags.None)
    {
        while (true)
        {
            if (SysResult.Finished(Libc.sendmsg(fd, message, (int)(flags | MsgFlags.NoSignal)), out SysResult result)) return result;
        }
    }

    /// <summary>recvmsg(2) into segments.</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="segments">Memory that the caller keeps in place.</param>
    /// <param name="flags">Flags.</param>
    /// <returns>Bytes received; 0 at the end of a stream. EFAULT when memory behind a segment has gone.</returns>
    public static SysResult RecvMsg(int fd, ReadOnlySpan<IoVec> segments, MsgFlags flags = MsgFlags.None)
    {
        // SAFETY: the array is pinned; what it points to is the caller's, as documented.
        fixed (IoVec* p = segments)
        {
            MsgHdr message = default;
            message.Segments = p;
            message.SegmentCount = (nuint)segments.Length;
            return RecvMsg(fd, &message, flags);
        }
    }

    /// <summary>recvmsg(2). The lengths in the message are in and out: set them anew before each call.</summary>
    /// <param name="fd">A socket.</param>
    /// <param name="message">The message; all it points to is the caller's and stays in place.</param>
    /// <param name="flags">Flags.</param>
    public static SysResult RecvMsg(int fd, MsgHdr* message, MsgFlags flags = MsgFlags.None)
    {
        while (true)
        {
            if (SysResult.Finished(Libc.recvmsg(fd, message, (int)flags), out SysResult result)) return result;
        }
    }

    /// <summary>sendmmsg(2): several datagrams in one call.</summary>
    /// <param name="fd">A datagram socket.</param>
    /// <param name="messages">The messages; each one's Length is set to what was sent.</param>
    /// <param name="count">How many, at most 1024.</param>
    /// <param name="flags">Flags; NoSignal is added.</param>
    /// <returns>Messages sent; an error only when the first one failed.</returns>
    public static SysResult SendMMsg(int fd, MMsgHdr* messages, int count, MsgFlags flags = MsgFlags.None)
    {
        while (true)
        {
            int sent = Libc.sendmmsg(fd, messages, (uint)count, (int)(flags | MsgFlags.NoSignal));
            if (SysResult.Finished(sent, out SysResult result)) return result;
        }
    }

    /// <summary>recvmmsg(2): several datagrams in one call. The lengths in the messages are in and out: set them anew before each call.</summary>
    /// <param name="fd">A datagram socket, non-blocking (or pass DontWait).</param>
    /// <param name="messages">The messages; each one's Length is set to what came.</param>
    /// <param name="count">How many, at most 1024.</param>
    /// <param name="flags">Flags.</param>
    /// <returns>Messages received; an error only when the first one failed.</returns>
    public static SysResult RecvMMsg(int fd, MMsgHdr* messages, int count, MsgFlags flags = MsgFlags.None)
    {
        while (true)
        {
            int received = Libc.recvmmsg(fd, messages, (uint)count, (int)flags, null);
            if (SysResult.Finished(received, out SysResult result)) return result;
        }
    }
}
