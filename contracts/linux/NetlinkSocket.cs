using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>A route netlink socket (rtnetlink(7)), for requests one at a time or for notifications. Not for several threads.</summary>
public sealed unsafe class NetlinkSocket : IDisposable
{
    private const int AfNetlink = 16;
    private const int Raw = 3;
    private const int Route = 0;
    private const int LevelNetlink = 270;
    private const int ExtendedAck = 11;
    private const int PatienceMs = 5000;
    private const ushort Error = 2;
    private const ushort Done = 3;
    private const ushort HasTexts = 0x200;
    private const ushort TextAttribute = 1;
    private readonly Fd _fd;
    private readonly byte[] _room = GC.AllocateUninitializedArray<byte>(64 << 10);
    private uint _sequence;

    private NetlinkSocket(Fd fd) => _fd = fd;

    /// <summary>The descriptor, non-blocking, to be watched for notifications.</summary>
    public int Descriptor => _fd.Raw;

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    /// <param name="groups">Groups of notifications to join: RTMGRP_LINK is 1. 0 for requests.</param>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    public static NetlinkSocket Open(uint groups = 0)
    {
        Fd fd = new((int)Sockets.Create(AfNetlink, Raw, Route).OrThrow("open a netlink socket"));
        try
        {
            Address local = new() { Family = AfNetlink, Groups = groups };
            SysResult.From(Libc.bind(fd.Raw, &local, (uint)sizeof(Address))).OrThrow("bind a netlink socket");
            Sockets.SetOption(fd.Raw, LevelNetlink, ExtendedAck, 1);
            return new NetlinkSocket(fd);
        }
        catch
        {
            fd.Dispose();
            throw;
        }
    }

    /// <summary>Told each answer to a request.</summary>
    /// <param name="type">The message's type.</param>
    /// <param name="body">What follows its header.</param>
    public delegate void Answer(ushort type, ReadOnlySpan<byte> body);

    /// <summary>Sends a request and waits for its end: the acknowledgement, or the end of a dump.</summary>
    /// <param name="message">A message that asks for an acknowledgement or a dump; its sequence number is set here.</param>
    /// <param name="answer">Told what comes before the end.</param>
    /// <param name="why">The kernel's own words for a failure, or empty.</param>
    /// <returns>Success, or the kernel's error; ETIMEDOUT when it does not answer.</returns>
    public SysResult Request(ReadOnlySpan<byte> message, Answer? answer, out string why)
    {
        why = "";
        uint sequence = ++_sequence;
        Span<byte> request = stackalloc byte[message.Length];
        message.CopyTo(request);
        BinaryPrimitives.WriteUInt32LittleEndian(request[8..], sequence);
        SysResult sent = Sockets.Send(_fd.Raw, request);
        if (sent.Failed) return sent;
        while (true)
        {
            if (Io.Poll(_fd.Raw, PollEvents.In, PatienceMs) == PollEvents.None) return SysResult.Failure(Errno.ETIMEDOUT);
            SysResult received = Sockets.Receive(_fd.Raw, _room);
            if (received.WouldBlock) continue;
            if (received.Failed) return received;
            NetlinkReader reader = new(_room.AsSpan(0, received.Count));
            while (reader.MoveNext())
            {
                if (reader.Sequence != sequence) continue;
                if (reader.Type == Done) return new SysResult(0);
                if (reader.Type == Error) return End(reader, out why);
                answer?.Invoke(reader.Type, reader.Body);
            }
        }
    }

    /// <summary>Reads one datagram of notifications.</summary>
    /// <param name="notification">Told each message in it.</param>
    /// <returns>EAGAIN when there is none; ENOBUFS when some were lost: look at everything anew.</returns>
    public SysResult Receive(Answer notification)
    {
        ArgumentNullException.ThrowIfNull(notification);
        SysResult received = Sockets.Receive(_fd.Raw, _room);
        if (received.Failed) return received;
        NetlinkReader reader = new(_room.AsSpan(0, received.Count));
        while (reader.MoveNext()) notification(reader.Type, reader.Body);
        return received;
    }

    /// <inheritdoc/>
    public void Dispose() => _fd.Dispose();

    private static SysResult End(in NetlinkReader reader, out string why)
    {
        why = "";
        if (reader.Body.Length < 4) return SysResult.Failure(Errno.EPROTO);
        int error = BinaryPrimitives.ReadInt32LittleEndian(reader.Body);
        if (error == 0) return new SysResult(0);
        // NETLINK_EXT_ACK: behind the error comes the request's header, or the whole request, then attributes.
        if ((reader.Flags & HasTexts) != 0 && reader.Body.Length >= 20)
        {
            const ushort Capped = 0x100;
            int request = (reader.Flags & Capped) != 0 ? 16 : NetlinkWriter.Align(BinaryPrimitives.ReadInt32LittleEndian(reader.Body[4..]));
            NetlinkAttributes texts = new(request >= 0 && 4 + request <= reader.Body.Length ? reader.Body[(4 + request)..] : default);
            while (texts.MoveNext())
            {
                if (texts.Type == TextAttribute) why = texts.Text;
            }
        }
        return new SysResult(error);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Address
    {
        internal ushort Family;
        internal ushort Padding;
        internal uint Port;
        internal uint Groups;
    }
}
