using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <content>Passing descriptors (SCM_RIGHTS).</content>
public static unsafe partial class UnixSocket
{
    /// <summary>The most descriptors that the kernel lets one message carry (SCM_MAX_FD).</summary>
    public const int MaxDescriptors = 253;

    // Room for all that one message can carry, and for credentials or a security label should somebody switch them on.
    private const int ControlBytes = 2048;

    /// <summary>
    /// Receives data and the descriptors that came with it. All descriptors that the caller gets are the caller's to close; those that it does
    /// not get are closed here: none leaks, whatever the peer sends.
    /// </summary>
    /// <param name="fd">A UNIX socket.</param>
    /// <param name="data">Where to put the data.</param>
    /// <param name="fds">Room for as many descriptors as the protocol allows.</param>
    /// <param name="fdCount">How many came.</param>
    /// <param name="truncated">More came than there was room for (or we have no descriptors left): all of them were closed.</param>
    /// <returns>Bytes received; 0 at the end of the stream.</returns>
    [SkipLocalsInit]
    public static SysResult ReceiveWithFds(int fd, Span<byte> data, Span<int> fds, out int fdCount, out bool truncated)
    {
        fdCount = 0;
        truncated = false;
        byte* control = stackalloc byte[ControlBytes];

        // SAFETY: data is pinned; the control buffer's true size is in the message. stackalloc is 16-byte aligned.
        fixed (byte* p = data)
        {
            IoVec segment = new(p, data.Length);
            MsgHdr message = default;
            message.Segments = &segment;
            message.SegmentCount = 1;
            message.Control = (nint)control;
            message.ControlLength = ControlBytes;
            SysResult result = Sockets.RecvMsg(fd, &message, MsgFlags.ControlCloseOnExec);
            if (result.Failed) return result;
            truncated = (message.Flags & MsgFlags.ControlTruncated) != 0;
            Collect(message.ReadControl(), fds, ref fdCount, ref truncated);
            return result;
        }
    }

    /// <summary>Sends data with descriptors. The descriptors stay the caller's.</summary>
    /// <param name="fd">A UNIX socket.</param>
    /// <param name="data">At least one byte on a stream socket: without data the descriptors would not travel.</param>
    /// <param name="fds">Up to <see cref="MaxDescriptors"/>; may be empty.</param>
    /// <returns>Bytes sent. On a stream socket possibly fewer than given; the descriptors went with the first of them.</returns>
    [SkipLocalsInit]
    public static SysResult SendWithFds(int fd, ReadOnlySpan<byte> data, ReadOnlySpan<int> fds)
    {
        if (fds.Length > MaxDescriptors) return SysResult.Failure(Errno.EINVAL);
        byte* control = stackalloc byte[ControlBytes];
        ControlWriter writer = new(new Span<byte>(control, ControlBytes));
        if (fds.Length > 0) writer.TryAdd(SocketLevel.Socket, ControlMessage.Rights, MemoryMarshal.AsBytes(fds));

        // SAFETY: data is pinned; the control buffer is a local, aligned to 16.
        fixed (byte* p = data)
        {
            IoVec segment = new(p, data.Length);
            MsgHdr message = default;
            message.Segments = &segment;
            message.SegmentCount = 1;
            message.Control = writer.Length == 0 ? 0 : (nint)control;
            message.ControlLength = (nuint)writer.Length;
            return Sockets.SendMsg(fd, &message);
        }
    }

    private static void Collect(ControlReader control, Span<int> fds, ref int count, ref bool truncated)
    {
        while (control.MoveNext())
        {
            if (!control.Is(SocketLevel.Socket, ControlMessage.Rights)) continue;
            ReadOnlySpan<int> received = MemoryMarshal.Cast<byte, int>(control.Data);
            foreach (int one in received)
            {
                if (count < fds.Length)
                {
                    fds[count++] = one;
                    continue;
                }

                Io.Close(one);
                truncated = true;
            }
        }

        if (!truncated) return;
        foreach (int one in fds[..count]) Io.Close(one);
        fds[..count].Fill(-1);
        count = 0;
    }
}
