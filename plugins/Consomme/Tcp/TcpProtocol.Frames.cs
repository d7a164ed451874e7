using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;

namespace NicHost.Consomme.Tcp;

/// <content>Segments without data: handshake, acknowledgements, FIN, resets.</content>
internal sealed partial class TcpProtocol
{
    /// <summary>The number that our timestamps show now.</summary>
    private uint TimestampNow(TcpFlow flow) => (uint)_loop.NowMilliseconds + flow.TsOffset;

    private int OwnMss(bool v4) => _context.Network.Mtu - FrameLayout.IpHeader(v4) - FrameLayout.TcpHeader;

    /// <summary>The window field: scaled down, except in a SYN (RFC 7323 2.2).</summary>
    private static int WindowField(TcpFlow flow, bool syn)
    {
        var window = flow.RcvEdge - flow.RcvNxt;
        return (int)Math.Min(syn ? window : window >> flow.RcvScale, ushort.MaxValue);
    }

    private bool SendAck(TcpFlow flow)
    {
        if (!SendControl(flow, TcpFlags.Ack, flow.SndMax))
        {
            flow.AckPending = true;
            return false;
        }
        return true;
    }

    private void SendReset(TcpFlow flow)
    {
        // Before the guest's SYN was answered there is nothing of ours to number: the reset acknowledges the SYN (RFC 9293 3.10.7.1).
        if (flow.State == TcpState.Connecting) SendControl(flow, TcpFlags.Rst | TcpFlags.Ack, 0);
        else SendControl(flow, TcpFlags.Rst | TcpFlags.Ack, flow.SndMax);
    }

    /// <summary>Sends SYN (a forward) or SYN-ACK (the guest's connection) with the options agreed on.</summary>
    private void SendSyn(TcpFlow flow) =>
        SendControl(flow, flow.IsInbound ? TcpFlags.Syn : TcpFlags.Syn | TcpFlags.Ack, flow.Iss);

    /// <returns>False when the guest has no buffer: the flow is then lined up.</returns>
    [SkipLocalsInit]
    private bool SendControl(TcpFlow flow, TcpFlags flags, uint seq)
    {
        Span<byte> frame = stackalloc byte[FrameLayout.MaxHeaders];
        var syn = (flags & TcpFlags.Syn) != 0;
        var at = FrameLayout.Ethernet + FrameLayout.IpHeader(flow.IsV4);
        var tcp = frame[at..];
        var header = FrameLayout.TcpHeader;
        if (syn) header += WriteSynOptions(flow, tcp[header..]);
        else if (flow.Timestamps && flow.State != TcpState.Connecting)
        {
            FrameLayout.WriteTimestamps(tcp[header..], TimestampNow(flow), flow.TsRecent);
            header += FrameLayout.TimestampOption;
            if ((flags & TcpFlags.Rst) == 0) header += WriteSackOption(flow, tcp[header..]);
        }
        else if ((flags & TcpFlags.Rst) == 0) header += WriteSackOption(flow, tcp[header..]);
        FrameLayout.WriteIp(frame, _context.Network, flow.Key, flow.PseudoSum, header);
        var ack = (flags & TcpFlags.Ack) != 0 ? flow.RcvNxt : 0;
        var window = (flags & TcpFlags.Rst) != 0 ? 0 : WindowField(flow, syn);
        FrameLayout.WriteTcp(tcp, flow.Key, flow.PseudoSum, seq, ack, flags, window, header, header);
        FrameLayout.CompleteChecksum(tcp[..header]);
        if (!SendFrame(flow.Queue, frame[..(at + header)]))
        {
            _port.WaitForRoom(flow.Queue, flow);
            return false;
        }
        if (ack != 0 || (flags & TcpFlags.Ack) != 0) Acknowledged(flow);
        return true;
    }

    private static void Acknowledged(TcpFlow flow)
    {
        flow.LastAck = flow.RcvNxt;
        flow.AckPending = false;
        flow.AckAt = 0;
    }

    private bool SendFrame(int queue, ReadOnlySpan<byte> frame)
    {
        if ((_port.Accepted(queue) & OffloadSet.Checksum) == 0) return _port.Send(queue, frame);
        return _port.Send(queue, frame, default, new FrameOffload { Checksum = ChecksumState.Verified });
    }

    /// <summary>Answers a segment that belongs to no flow (RFC 9293 3.10.7.1).</summary>
    [SkipLocalsInit]
    private void SendResetTo(int queue, in FlowKey key, in TcpSegment segment)
    {
        if (segment.Has(TcpFlags.Rst)) return;
        Span<byte> frame = stackalloc byte[FrameLayout.MaxHeaders];
        var pseudo = FrameLayout.PseudoSum(key);
        var at = FrameLayout.WriteIp(frame, _context.Network, key, pseudo, FrameLayout.TcpHeader);
        var tcp = frame.Slice(at, FrameLayout.TcpHeader);
        if (segment.Has(TcpFlags.Ack)) FrameLayout.WriteTcp(tcp, key, pseudo, segment.Ack, 0, TcpFlags.Rst, 0, tcp.Length, tcp.Length);
        else
        {
            var ack = segment.Seq + (uint)segment.Length;
            FrameLayout.WriteTcp(tcp, key, pseudo, 0, ack, TcpFlags.Rst | TcpFlags.Ack, 0, tcp.Length, tcp.Length);
        }
        FrameLayout.CompleteChecksum(tcp);
        SendFrame(queue, frame[..(at + tcp.Length)]);
    }

    private int WriteSynOptions(TcpFlow flow, Span<byte> options)
    {
        options[0] = TcpOptionKind.MaxSegment;
        options[1] = 4;
        BinaryPrimitives.WriteUInt16BigEndian(options[2..], (ushort)OwnMss(flow.IsV4));
        var length = 4;
        if (flow.SackOk || flow.IsInbound)
        {
            BinaryPrimitives.WriteUInt32BigEndian(options[length..], 0x0101_0402);
            length += 4;
        }
        if (flow.Timestamps || flow.IsInbound)
        {
            FrameLayout.WriteTimestamps(options[length..], TimestampNow(flow), flow.TsRecent);
            length += FrameLayout.TimestampOption;
        }
        if (flow.RcvScale > 0)
        {
            BinaryPrimitives.WriteUInt32BigEndian(options[length..], 0x0103_0300u | flow.RcvScale);
            length += 4;
        }
        return length;
    }

    private void Drop(int queue, DropReason reason) => _port.Counters(queue).DropTx(reason);
}
