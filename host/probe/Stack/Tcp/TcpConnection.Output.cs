using System.Buffers.Binary;

namespace NicHost.Probe.Stack;

/// <content>Sending and timers. Stream offsets are 64 bits; offset 0 is the first byte after the SYN.</content>
public sealed unsafe partial class TcpConnection
{
    private const int TimestampBytes = 12;
    private const int MaxIpPayload = 65535;
    private const int MaxRtoMs = 60_000;
    private const int MinRtoMs = 200;

    private long _una;
    private long _next;
    private long _max;
    private bool _finSent;
    private long _sndWindow;
    private int _sndShift;
    private int _rcvShift;
    private int _mss;
    private bool _timestamps;
    private uint _peerTimestamp;
    private int _rtoMs;
    private long _timerAt = long.MaxValue;
    private int _retries;
    private bool _ackDue;
    private long _shownEdge;
    private int _srttMs = -1;

    private uint Sequence(long offset) => _iss + 1 + (uint)offset;

    /// <summary>Sends all that may be sent, and an acknowledgement if one is due.</summary>
    /// <returns>False when the ring was full.</returns>
    internal bool Output()
    {
        if (State is TcpState.SynSent or TcpState.SynReceived) return _timerAt != long.MaxValue || SendSyn();
        var sent = SendData();
        if (State == TcpState.Closed) return true;
        if (sent && (_ackDue || WindowGrew())) sent = SendSegment(TcpFlags.Ack, _next + (_finSent ? 1 : 0), 0, null, default);
        return sent;
    }

    /// <summary>Looks at the clock.</summary>
    internal void Tick()
    {
        if (_stack.NowMs < _timerAt) return;
        if (++_retries > _options.MaxRetries)
        {
            Drop("The peer does not answer.");
            return;
        }
        _rtoMs = Math.Min(_rtoMs * 2, MaxRtoMs);
        _timerAt = long.MaxValue;
        if (State is TcpState.SynSent or TcpState.SynReceived)
        {
            Retransmissions++;
        }
        else if (_sndWindow == 0 && _una < _source.End)
        {
            SendProbe();
            return;
        }
        else
        {
            GoBack();
        }
        Output();
    }

    private void GoBack()
    {
        Retransmissions++;
        _next = _una;
        _finSent = false;
    }

    private bool SendSyn()
    {
        var flags = State == TcpState.SynSent ? TcpFlags.Syn : TcpFlags.Syn | TcpFlags.Ack;
        Span<byte> options = stackalloc byte[24];
        if (!SendSegment(flags, -1, 0, null, options[..WriteSynOptions(options)])) return false;
        Arm();
        return true;
    }

    private bool SendData()
    {
        var edge = _una + _sndWindow;
        var end = _source.End;
        while (_next < end && _next < edge)
        {
            var most = (int)Math.Min(Math.Min(edge - _next, end - _next), Largest());
            var place = _source.At(_next, most, out var length);
            var segment = Mss;
            var flags = TcpFlags.Ack | (_next + length == end ? TcpFlags.Psh : TcpFlags.None);
            if (!SendSegment(flags, _next, length, place, default, length > segment ? (ushort)segment : (ushort)0)) return false;
            _next += length;
            _max = Math.Max(_max, _next);
            Arm();
        }
        if (_next == end && _source.Finished && !_finSent && State is not (TcpState.SynSent or TcpState.SynReceived))
        {
            if (!SendSegment(TcpFlags.Fin | TcpFlags.Ack, _next, 0, null, default)) return false;
            _finSent = true;
            _max = Math.Max(_max, _next);
            State = State switch { TcpState.Established => TcpState.FinWait1, TcpState.CloseWait => TcpState.LastAck, _ => State };
            Arm();
        }
        if (_next < end && _una == _next && _timerAt == long.MaxValue) Arm();
        return true;
    }

    /// <summary>The longest payload of a segment, or of a super-frame where those are sent.</summary>
    private int Largest()
    {
        var mss = Mss;
        if (!_options.SuperFrames || !_stack.CanSegment(Key.Remote.IsV6)) return mss;
        var room = MaxIpPayload - (Key.Remote.IsV6 ? 0 : Proto.Ipv4Header) - Proto.TcpHeader - TimestampBytes;
        return Math.Max(1, room / mss) * mss;
    }

    // RFC 9293, 3.8.6.1: one byte beyond a closed window.
    private void SendProbe()
    {
        _next = _una;
        var place = _source.At(_una, 1, out _);
        SendSegment(TcpFlags.Ack, _una, 1, place, default);
        _max = Math.Max(_max, _una + 1);
        Arm();
    }

    private void Arm()
    {
        if (_timerAt == long.MaxValue) _timerAt = _stack.NowMs + _rtoMs;
    }

    private void Disarm(bool moreInFlight)
    {
        _retries = 0;
        _rtoMs = _srttMs < 0 ? _options.InitialRtoMs : Math.Max(MinRtoMs, _srttMs * 3);
        _timerAt = moreInFlight ? _stack.NowMs + _rtoMs : long.MaxValue;
    }

    private bool WindowGrew()
    {
        var edge = _rcvNext + Window();
        return edge - _shownEdge >= Math.Min(2 * _mss, Math.Max(1, Window() / 2)) && edge > _shownEdge && _shownEdge - _rcvNext < Window() / 2;
    }

    private long Window() => Math.Min(_sink.Room, 65535L << _rcvShift) >> _rcvShift << _rcvShift;

    /// <summary>Sends one segment; offset -1 is the SYN.</summary>
    private bool SendSegment(TcpFlags flags, long offset, int length, byte* payload, ReadOnlySpan<byte> options, ushort segmentSize = 0)
    {
        Span<byte> header = stackalloc byte[60];
        var size = Proto.TcpHeader + options.Length;
        options.CopyTo(header[Proto.TcpHeader..]);
        if (options.IsEmpty && _timestamps) size += WriteTimestamp(header[size..]);
        BinaryPrimitives.WriteUInt16BigEndian(header, Key.LocalPort);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], Key.RemotePort);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], Sequence(offset));
        BinaryPrimitives.WriteUInt32BigEndian(header[8..], (flags & TcpFlags.Ack) != 0 ? ReceiveSequence : 0);
        header[12] = (byte)(size / 4 << 4);
        header[13] = (byte)flags;
        var window = Window();
        var shown = (flags & TcpFlags.Syn) != 0 ? Math.Min(window, 65535) : window >> _rcvShift;
        BinaryPrimitives.WriteUInt16BigEndian(header[14..], (ushort)shown);
        header[16..20].Clear();
        var packet = new OutPacket
        {
            Source = Local,
            Destination = Key.Remote,
            Protocol = Proto.Tcp,
            Header = header[..size],
            Tail = payload,
            TailLength = length,
            ChecksumOffset = 16,
            Checksum = ChecksumKind.Offloaded,
            SegmentSize = segmentSize,
            Flow = Key.LocalPort,
        };
        if (!_stack.SendIp(ref packet)) return false;
        if ((flags & TcpFlags.Ack) == 0) return true;
        _ackDue = false;
        _shownEdge = _rcvNext + window;
        return true;
    }
}
