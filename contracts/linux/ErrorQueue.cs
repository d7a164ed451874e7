using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>Who made an error (SO_EE_ORIGIN_).</summary>
public enum ErrorOrigin : byte
{
    /// <summary>Unknown.</summary>
    None = 0,
    /// <summary>This machine, such as EMSGSIZE for a datagram above the path's MTU.</summary>
    Local = 1,
    /// <summary>An ICMP message.</summary>
    Icmp = 2,
    /// <summary>An ICMPv6 message.</summary>
    Icmpv6 = 3,
    /// <summary>A sent timestamp.</summary>
    TxStatus = 4,
    /// <summary>A zero-copy completion.</summary>
    ZeroCopy = 5,
}

/// <summary>One error from a socket's error queue (struct sock_extended_err).</summary>
public struct ErrorQueueEntry
{
    /// <summary>The error as errno.</summary>
    public Errno Error;

    /// <summary>Who made it.</summary>
    public ErrorOrigin Origin;

    /// <summary>ICMP type.</summary>
    public byte Type;

    /// <summary>ICMP code.</summary>
    public byte Code;

    /// <summary>More: for EMSGSIZE the MTU.</summary>
    public uint Info;

    /// <summary>Address of the node that sent the ICMP message; none for local errors.</summary>
    public SockAddr Offender;

    /// <summary>Where the datagram that caused it was going.</summary>
    public SockAddr Destination;

    /// <summary>Bytes of the original payload that were copied.</summary>
    public int PayloadLength;
}

/// <summary>Reads the error queues that IP_RECVERR and IPV6_RECVERR fill.</summary>
public static unsafe class ErrorQueue
{
    private const int ErrnoAt = 0;
    private const int OriginAt = 4;
    private const int TypeAt = 5;
    private const int CodeAt = 6;
    private const int InfoAt = 8;
    private const int OffenderAt = 16;
    private const int ControlWords = 64;

    /// <summary>Takes one entry.</summary>
    /// <param name="fd">A socket with IP_RECVERR or IPV6_RECVERR on.</param>
    /// <param name="payload">Gets the start of the payload (without UDP header) of the datagram that caused the error; may be empty.</param>
    /// <param name="entry">The error.</param>
    /// <returns>Success with an entry; EAGAIN when the queue is empty.</returns>
    [SkipLocalsInit]
    public static SysResult TryRead(int fd, Span<byte> payload, out ErrorQueueEntry entry)
    {
        entry = default;
        ulong* control = stackalloc ulong[ControlWords];
        SockAddr name = default;

        // SAFETY: payload is pinned; the other buffers are locals with their true sizes in the message.
        fixed (byte* p = payload)
        {
            IoVec segment = new(p, payload.Length);
            MsgHdr message = default;
            message.Name = (nint)(&name);
            message.NameLength = SockAddr.MaxLength;
            message.Segments = &segment;
            message.SegmentCount = 1;
            message.Control = (nint)control;
            message.ControlLength = ControlWords * sizeof(ulong);
            SysResult result = Sockets.RecvMsg(fd, &message, MsgFlags.ErrorQueue | MsgFlags.DontWait);
            if (result.Failed) return result;
            entry.PayloadLength = Math.Min(result.Count, payload.Length);
            if (message.NameLength != 0) entry.Destination = name;
            Parse(message.ReadControl(), ref entry);
            return result;
        }
    }

    private static void Parse(ControlReader control, ref ErrorQueueEntry entry)
    {
        while (control.MoveNext())
        {
            bool isError = control.Is(SocketLevel.Ip, IpOption.RecvErr) || control.Is(SocketLevel.Ipv6, Ipv6Option.RecvErr);
            if (!isError || control.Data.Length < OffenderAt) continue;
            ReadOnlySpan<byte> data = control.Data;
            entry.Error = (Errno)MemoryMarshal.Read<int>(data[ErrnoAt..]);
            entry.Origin = (ErrorOrigin)data[OriginAt];
            entry.Type = data[TypeAt];
            entry.Code = data[CodeAt];
            entry.Info = MemoryMarshal.Read<uint>(data[InfoAt..]);
            SockAddr offender = default;
            data[OffenderAt..Math.Min(data.Length, OffenderAt + SockAddr.MaxLength)].CopyTo(
                MemoryMarshal.AsBytes(new Span<SockAddr>(ref offender)));
            entry.Offender = offender.Length == 0 ? default : offender;
        }
    }
}
