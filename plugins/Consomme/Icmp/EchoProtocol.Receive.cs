using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Linux;
using NicHost.Wire;

namespace NicHost.Consomme.Icmp;

/// <content>Answers and errors.</content>
internal sealed unsafe partial class EchoProtocol
{
    private const byte ReplyV4 = 0;
    private const byte ReplyV6 = 129;
    private const int QuoteLength = 64;

    public void Receive(EchoFlow flow)
    {
        for (var i = 0; i < Budget && flow.Fd >= 0; i++)
        {
            if (!TryReceive(flow, out var from, out var length, out var hopLimit)) return;
            var message = Message.AsSpan(0, length);
            if (length < EchoHeader || message[0] != (flow.IsV4 ? ReplyV4 : ReplyV6) || from == default) continue;
            flow.Received++;
            flow.LastUsed = _context.Loop.NowMilliseconds;
            BinaryPrimitives.WriteUInt16BigEndian(message[4..], flow.Id);
            message[2..4].Clear();
            var sum = flow.IsV4 ? default : InternetSum.WithPseudoHeader(from, flow.Guest, IpProtocol.Icmpv6, length);
            sum.Add(message);
            BinaryPrimitives.WriteUInt16BigEndian(message[2..], sum.Checksum);
            _ip.Send(flow.Queue, from, flow.Guest, flow.IsV4 ? IpProtocol.Icmp : IpProtocol.Icmpv6, message, hopLimit);
        }
    }

    /// <returns>Whether there were any.</returns>
    [SkipLocalsInit]
    public bool DrainErrors(EchoFlow flow)
    {
        Span<byte> quote = stackalloc byte[QuoteLength];
        var any = false;
        while (ErrorQueue.TryRead(flow.Fd, quote, out var entry).Ok)
        {
            any = true;
            // The kernel quotes the ICMP message as it sent it: with its own identifier.
            if (Sock.Meaning(entry) is not { } meaning || entry.Destination.IsNone) continue;
            if (entry.PayloadLength < EchoHeader)
            {
                quote[..EchoHeader].Clear();
                quote[0] = flow.IsV4 ? (byte)8 : (byte)128;
                entry.PayloadLength = EchoHeader;
            }
            var message = quote[..entry.PayloadLength];
            var theirs = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
            BinaryPrimitives.WriteUInt16BigEndian(message[4..], flow.Id);
            var checksum = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
            BinaryPrimitives.WriteUInt16BigEndian(message[2..], InternetChecksum.Update(checksum, theirs, flow.Id));
            var key = new FlowKey(flow.Guest, Sock.Address(entry.Destination), flow.Id, 0);
            var offender = entry.Offender.IsNone ? default : Sock.Address(entry.Offender);
            if (offender.IsLoopback || offender.IsUnspecified || _network.InSubnet(offender)) offender = default;
            var mtu = meaning == IcmpError.PacketTooBig ? Math.Max((int)entry.Info, flow.IsV4 ? 576 : 1280) : 0;
            _context.Icmp.Send(flow.Queue, key, flow.IsV4 ? IpProtocol.Icmp : IpProtocol.Icmpv6, message, meaning, offender, mtu);
        }
        if (!any) Sockets.TakeError(flow.Fd);
        return any;
    }

    [SkipLocalsInit]
    private bool TryReceive(EchoFlow flow, out IpAddr from, out int length, out byte hopLimit)
    {
        const int controlLength = 64;
        ulong* control = stackalloc ulong[controlLength / 8];
        SockAddr name = default;
        // SAFETY: Message is pinned and its whole length is offered; the others are locals with their true sizes.
        IoVec vector = new((byte*)Unsafe.AsPointer(ref Message[0]), Message.Length);
        MsgHdr message = default;
        message.Name = (nint)(&name);
        message.NameLength = SockAddr.MaxLength;
        message.Segments = &vector;
        message.SegmentCount = 1;
        message.Control = (nint)control;
        message.ControlLength = controlLength;
        var result = Sockets.RecvMsg(flow.Fd, &message, MsgFlags.DontWait);
        from = default;
        length = 0;
        hopLimit = 64;
        if (result.Failed)
        {
            if (!result.WouldBlock) DrainErrors(flow);
            return false;
        }
        length = result.Count;
        from = Sock.Address(name);
        var reader = message.ReadControl();
        while (reader.MoveNext())
        {
            var isHops = reader.Is(SocketLevel.Ip, IpOption.Ttl) || reader.Is(SocketLevel.Ipv6, Ipv6Option.HopLimit);
            // One hop more than the kernel counted: from this host to the guest.
            if (isHops && reader.TryRead(out int hops)) hopLimit = (byte)Math.Clamp(hops - 1, 1, 255);
        }
        return true;
    }
}
