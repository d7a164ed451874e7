using System.Runtime.InteropServices;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <content>
/// Host to guest, the bytes: one <c>recvmsg</c> with MSG_PEEK fills several frames in guest memory, behind headers that are written
/// afterwards. The data stays in the kernel until it is acknowledged.
/// </content>
internal sealed partial class TcpProtocol
{
    private const int MaxPending = 128;
    private const int MaxReadHint = 512 << 10;
    private const int MinReadHint = 4 << 10;
    private const int SinkSize = 256 << 10;

    private readonly Segment[] _rxSegments = new Segment[IoVec.MaxCount + FrameLimits.MaxRxSegments];
    private readonly Segment[] _rxVector = new Segment[IoVec.MaxCount];
    private readonly PendingFrame[] _pending = new PendingFrame[MaxPending];
    private byte[]? _sink;

    /// <summary>For tests: behaves as on a kernel without SO_PEEK_OFF for TCP.</summary>
    internal bool AvoidPeekOffset { get; set; }

    private struct PendingFrame
    {
        public RxTicket Ticket;
        public int FirstSegment;
        public int SegmentCount;
        public int Payload;
    }

    /// <summary>Reads up to <paramref name="want"/> bytes from the socket into frames to the guest.</summary>
    /// <returns>Bytes sent; 0 when there was nothing, no room, or the flow has ended.</returns>
    private int Transfer(TcpFlow flow, int want)
    {
        if (_port.Device(flow.Queue) is not { } device)
        {
            _port.WaitForRoom(flow.Queue, flow);
            return 0;
        }
        var header = flow.HeaderLength;
        var perFrame = FramePayload(flow, header);
        PlacePeek(flow);
        var vector = StartVector(flow);
        var frames = Reserve(flow, device, header, perFrame, ref want, ref vector);
        if (frames == 0)
        {
            _port.WaitForRoom(flow.Queue, flow);
            return 0;
        }
        var read = Peek(flow, vector);
        var again = flow.SndNxt != flow.SndMax;
        var sent = Commit(flow, device, frames, header, Math.Max(0, read.Count), read.Count >= want);
        if (read.Failed || read.Count == 0)
        {
            if (again && !read.Failed) HostFailed(flow, Errno.EIO);   // what was sent before must still be there
            else NothingRead(flow, read);
            return 0;
        }
        if (!again)
        {
            if (sent == want) flow.ReadHint = Math.Min(flow.ReadHint * 4, MaxReadHint);
            else
            {
                // Less than asked for: the socket is empty until its next event. (Not at the end of the stream, and urgent data stops a read.)
                flow.CanRead = flow.DrainsToEnd;
                if (sent < flow.ReadHint / 4) flow.ReadHint = Math.Max(flow.ReadHint / 2, MinReadHint);
            }
        }
        Sent(flow, sent);
        return sent;
    }

    /// <summary>Payload bytes of the largest frame: a super-frame of whole segments where the guest takes them.</summary>
    private int FramePayload(TcpFlow flow, int header)
    {
        var accepted = _port.Accepted(flow.Queue);
        var tso = flow.IsV4 ? OffloadSet.TsoV4 : OffloadSet.TsoV6;
        if ((accepted & (tso | OffloadSet.Checksum)) != (tso | OffloadSet.Checksum)) return flow.Mss;
        // IPv4's total length and IPv6's payload length have 16 bits.
        var longest = Math.Min(_port.MaxFrame(flow.Queue), ushort.MaxValue + FrameLayout.Ethernet) - header;
        return Math.Max(flow.Mss, longest / flow.Mss * flow.Mss);
    }

    private int Reserve(TcpFlow flow, IDeviceQueue device, int header, int perFrame, ref int want, ref int vector)
    {
        var frames = 0;
        var segments = 0;
        var reserved = 0;
        while (reserved < want && frames < MaxPending && segments < IoVec.MaxCount)
        {
            var payload = Math.Min(perFrame, want - reserved);
            var count = device.Reserve(header + payload, _rxSegments.AsSpan(segments, FrameLimits.MaxRxSegments), out var ticket);
            if (count == 0 && frames == 0 && payload > flow.Mss)
            {
                // Not enough buffers for a super-frame: whatever goes.
                perFrame = Math.Max(flow.Mss, payload / 4 / flow.Mss * flow.Mss);
                continue;
            }
            if (count == 0) break;
            var pieces = SegmentOps.Slice(_rxSegments.AsSpan(segments, count), header, payload, _rxVector.AsSpan(vector));
            _pending[frames++] = new PendingFrame { Ticket = ticket, FirstSegment = segments, SegmentCount = count, Payload = pieces < 0 ? 0 : payload };
            if (pieces < 0) break;
            segments += count;
            vector += pieces;
            reserved += payload;
        }
        want = reserved;
        return frames;
    }

    /// <summary>
    /// Brings the kernel's peek offset to where sending goes on. Left off as long as reading starts at the front of the receive buffer,
    /// so that a flow with one short answer never sets it.
    /// </summary>
    private void PlacePeek(TcpFlow flow)
    {
        if (flow.PeeksIntoSink || (!flow.PeeksAtOffset && flow.SndNxt == flow.HostBase)) return;
        if (flow.PeeksAtOffset && flow.PeekSeq == flow.SndNxt) return;
        if (!AvoidPeekOffset && Sockets.SetPeekOffset(flow.Fd, (int)(flow.SndNxt - flow.HostBase)).Ok)
        {
            flow.PeeksAtOffset = true;
            flow.PeekSeq = flow.SndNxt;
        }
        else flow.PeeksIntoSink = true;
    }

    /// <summary>Where the kernel has no peek offset (TCP before Linux 6.9), what is sent already is read into a sink first.</summary>
    private int StartVector(TcpFlow flow)
    {
        if (!flow.PeeksIntoSink) return 0;
        var skip = flow.SndNxt - flow.HostBase;
        _sink ??= GC.AllocateUninitializedArray<byte>(SinkSize, pinned: true);
        var count = 0;
        for (; skip > 0 && count < _rxVector.Length / 2; count++)
        {
            var take = Math.Min(skip, SinkSize);
            unsafe
            {
                // SAFETY: the array is pinned for life and SinkSize long; nobody reads it.
                fixed (byte* sink = _sink) _rxVector[count] = new Segment(sink, (int)take);
            }
            skip -= take;
        }
        return count;
    }

    private SysResult Peek(TcpFlow flow, int vector)
    {
        var result = Sockets.RecvMsg(flow.Fd, MemoryMarshal.Cast<Segment, IoVec>(_rxVector.AsSpan(0, vector)), MsgFlags.Peek | MsgFlags.DontWait);
        if (result.Failed) return result;
        if (flow.PeeksAtOffset) flow.PeekSeq += (uint)result.Count;
        if (!flow.PeeksIntoSink) return result;
        var skipped = (int)(flow.SndNxt - flow.HostBase);
        if (result.Count > skipped) return new SysResult(result.Count - skipped);
        // Only what is sent already is there: whether that is the end of the stream, the hang-up event tells.
        return flow.SawHangUp ? new SysResult(0) : SysResult.Failure(Errno.EAGAIN);
    }

    private int Commit(TcpFlow flow, IDeviceQueue device, int frames, int header, int bytes, bool more)
    {
        var left = bytes;
        var seq = flow.SndNxt;
        var accepted = _port.Accepted(flow.Queue);
        for (var i = 0; i < frames; i++)
        {
            ref var frame = ref _pending[i];
            var take = Math.Min(frame.Payload, left);
            if (take == 0)
            {
                device.Release(frame.Ticket);
                continue;
            }
            left -= take;
            var segments = _rxSegments.AsSpan(frame.FirstSegment, frame.SegmentCount);
            var offload = WriteDataHeaders(flow, segments, header, take, seq, push: left == 0 && !more, accepted);
            device.Commit(frame.Ticket, header + take, offload);
            seq += (uint)take;
        }
        if (bytes > 0) _port.Touch(flow.Queue);
        return bytes - left;
    }

    private void Sent(TcpFlow flow, int sent)
    {
        if (flow.SndNxt != flow.SndMax)
        {
            flow.Retransmits++;
            Retransmits++;
        }
        else
        {
            flow.Exchanges = flow.Unanswered == 1 ? flow.Exchanges + 1 : flow.Unanswered == 0 ? flow.Exchanges : 0;
            flow.Unanswered = 0;
        }
        if (flow.SndNxt == flow.SndMax && !flow.RttTiming && !flow.Timestamps)
        {
            flow.RttTiming = true;
            flow.RttSeq = flow.SndNxt + (uint)sent;
            flow.RttStart = _loop.NowMilliseconds;
        }
        // A time that was set for probing an empty pipe is not the time for this.
        if (flow.SndNxt == flow.SndUna) flow.RetransmitAt = 0;
        flow.SndNxt += (uint)sent;
        var furthest = Seq.Max(flow.SndMax, flow.SndNxt);
        BytesToGuest += furthest - flow.SndMax;
        flow.SndMax = furthest;
        Acknowledged(flow);
        StartRetransmitTimer(flow);
    }

    private void NothingRead(TcpFlow flow, SysResult read)
    {
        if (read.WouldBlock)
        {
            flow.CanRead = false;
            return;
        }
        if (read.Failed)
        {
            HostFailed(flow, read.Error);
            return;
        }
        flow.CanRead = false;
        flow.HostEof = true;
        if (flow.SndNxt == flow.SndMax) SendFin(flow);
    }

    /// <summary>
    /// Throws away in the kernel what the guest has acknowledged. A few small messages that came one by one may stay for a while, which
    /// saves a call each; the rest of a large buffer may not: its last byte holds all of its memory, and with it the host's window.
    /// </summary>
    private static void Discard(TcpFlow flow)
    {
        const int Little = 4 << 10;
        const int Few = 16;
        if (flow.SndUna == flow.HostBase || flow.Fd < 0) return;
        if (flow.HostBase == flow.CleanBase && flow.SndMax - flow.HostBase < Little && flow.UndiscardedAcks < Few) return;
        DiscardAll(flow);
    }

    private static void DiscardAll(TcpFlow flow)
    {
        flow.UndiscardedAcks = 0;
        while (flow.Fd >= 0 && Seq.Min(flow.SndUna, flow.DataEnd) - flow.HostBase is > 0 and var acked)
        {
            var gone = Sockets.Discard(flow.Fd, acked);
            if (gone.Failed || gone.Count == 0) return;
            flow.HostBase += (uint)gone.Count;
        }
        if (flow.HostBase == flow.DataEnd && !flow.CanRead) flow.CleanBase = flow.HostBase;
    }
}
