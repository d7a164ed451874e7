using System.Buffers.Binary;

namespace NicHost.Probe.Stack;

/// <content>Receiving (RFC 9293, 3.10.7).</content>
public sealed unsafe partial class TcpConnection
{
    private uint _irs;
    private long _rcvNext;
    private int _duplicateAcks;

    private uint ReceiveSequence => _irs + 1 + (uint)_rcvNext + (PeerFinished ? 1u : 0);

    /// <summary>The SYN that opened a passive connection.</summary>
    internal void AcceptSyn(ReadOnlySpan<byte> header)
    {
        _irs = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        ReadSynOptions(header[Proto.TcpHeader..]);
        _sndWindow = BinaryPrimitives.ReadUInt16BigEndian(header[14..]);
    }

    /// <summary>A segment whose header is whole and whose checksum holds.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="header">The TCP header with its options.</param>
    internal void Input(in IpPacket packet, ReadOnlySpan<byte> header)
    {
        var flags = (TcpFlags)header[13];
        var sequence = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        var ack = BinaryPrimitives.ReadUInt32BigEndian(header[8..]);
        if (State == TcpState.SynSent)
        {
            InputSynSent(header, flags, sequence, ack);
            return;
        }
        if ((flags & TcpFlags.Rst) != 0)
        {
            if ((int)(sequence - ReceiveSequence) is < 0 or > (CountingSink.Window * 2)) return;
            WasReset = true;
            Drop("The peer reset the connection.");
            return;
        }
        if ((flags & TcpFlags.Syn) != 0)
        {
            // A repeated SYN-ACK: our acknowledgement was lost.
            _ackDue = true;
            _stack.Touch(this);
            return;
        }
        if ((flags & TcpFlags.Ack) == 0) return;
        var length = packet.Length - header.Length;
        ReadTimestamp(header[Proto.TcpHeader..]);
        InputAck(ack, BinaryPrimitives.ReadUInt16BigEndian(header[14..]), length);
        if (State == TcpState.Closed) return;
        if (length > 0 || (flags & TcpFlags.Fin) != 0) InputData(packet, header.Length, sequence, length, (flags & TcpFlags.Fin) != 0);
        _stack.Touch(this);
    }

    private void InputSynSent(ReadOnlySpan<byte> header, TcpFlags flags, uint sequence, uint ack)
    {
        var acceptable = (flags & TcpFlags.Ack) != 0 && ack == _iss + 1;
        if ((flags & TcpFlags.Rst) != 0)
        {
            if (!acceptable) return;
            WasReset = true;
            Drop("The peer refused the connection.");
            return;
        }
        if (!acceptable || (flags & TcpFlags.Syn) == 0) return;
        _irs = sequence;
        ReadSynOptions(header[Proto.TcpHeader..]);
        _sndWindow = BinaryPrimitives.ReadUInt16BigEndian(header[14..]);
        if (!_timestamps) _peerTimestamp = 0;
        State = TcpState.Established;
        Disarm(false);
        _ackDue = true;
        _stack.Touch(this);
    }

    private void InputAck(uint ack, ushort window, int length)
    {
        if (State == TcpState.SynReceived)
        {
            if (ack != _iss + 1) return;
            State = TcpState.Established;
            Disarm(false);
        }
        var advance = (int)(ack - Sequence(_una));
        var inFlight = _max - _una + (_finSent || State is TcpState.FinWait1 or TcpState.Closing or TcpState.LastAck ? 1 : 0);
        if (advance < 0) return;
        if (advance > inFlight)
        {
            _stack.Faults.Report("TCP acknowledges what was never sent");
            return;
        }
        var shown = (long)window << _sndShift;
        if (advance == 0)
        {
            if (shown == 0) _retries = 0;
            else if (length == 0 && shown == _sndWindow && _una < _max) CountDuplicate();
            else if (_sndWindow == 0) Disarm(_una < _max);
            _sndWindow = shown;
            return;
        }
        _sndWindow = shown;
        _duplicateAcks = 0;
        Advance(advance, inFlight);
    }

    private void Advance(int advance, long inFlight)
    {
        var fin = advance == inFlight && _una + advance > _max;
        _una += fin ? advance - 1 : advance;
        if (_next < _una) _next = _una;
        _source.Release(_una);
        Disarm(_una < _max || (_finSent && !fin));
        if (!fin) return;
        FinAcknowledged = true;
        _finSent = true;
        switch (State)
        {
            case TcpState.FinWait1: State = TcpState.FinWait2; break;
            case TcpState.Closing or TcpState.LastAck: Drop(null); break;
        }
    }

    private void CountDuplicate()
    {
        if (++_duplicateAcks != 3) return;
        GoBack();
    }

    private void InputData(in IpPacket packet, int headerLength, uint sequence, int length, bool fin)
    {
        _ackDue = true;
        var behind = (int)(ReceiveSequence - sequence);
        if (behind < 0)
        {
            OutOfOrder++;
            KeepEarly(packet, packet.Offset + headerLength, sequence, length);
            return;
        }
        if (PeerFinished || behind > length || (behind == length && length > 0 && !fin)) return;
        var take = Math.Min(length - behind, _sink.Room);
        if (take > 0) Take(packet, packet.Offset + headerLength + behind, take);
        _rcvNext += take;
        if (take == length - behind) TakeEarly();
        if (take < length - behind || !fin) return;
        PeerFinished = true;
        switch (State)
        {
            case TcpState.Established: State = TcpState.CloseWait; break;
            case TcpState.FinWait1: State = TcpState.Closing; break;
            case TcpState.FinWait2: FinishWait(); break;
        }
    }

    // TIME_WAIT without the wait: the last acknowledgement goes out, and a repeated FIN is answered by a RST.
    private void FinishWait()
    {
        SendSegment(TcpFlags.Ack, _next + 1, 0, null, default);
        Drop(null);
    }

    private void Take(in IpPacket packet, int offset, int length)
    {
        foreach (ref readonly var segment in packet.Frame.Segments)
        {
            var size = (int)segment.Length;
            if (offset >= size)
            {
                offset -= size;
                continue;
            }
            var part = Math.Min(size - offset, length);

            // SAFETY: offset + part is inside the segment, which the driver checked.
            _sink.Take(new ReadOnlySpan<byte>((byte*)segment.Base + offset, part));
            length -= part;
            offset = 0;
            if (length == 0) return;
        }
    }
}
