using NicHost.Consomme.Tcp;

namespace NicHost.Consomme.Tests.Tcp;

/// <summary>
/// A small, complete TCP for one connection of a guest: retransmission by timer (go-back-N), reassembly, optional SACK, a window that
/// changes as it likes, both FINs. Written against RFC 9293 only, as a second opinion on the NAT's own.
/// </summary>
internal sealed class ModelStack(Random random, ushort port, ushort serverPort, uint isn, byte[] toSend, bool sack, bool timestamps, int mss)
{
    private const int MaxFlight = 60_000;
    private const long Timeout = 400;

    private readonly SortedDictionary<uint, byte[]> _ahead = new(Comparer<uint>.Create((a, b) => ((int)(a - b)).CompareTo(0)));
    private readonly uint _isn = isn;
    private uint _una = isn;
    private uint _next = isn;
    private uint _rcv;
    private uint _tsRecent;
    private bool _synced;
    private bool _finSent;
    private bool _ackDue;
    private bool _peerFin;
    private uint _peerWindow = 65535;
    private uint _edge;
    private int _scale;
    private int _peerScale;
    private long _since;
    private int _dupAcks;

    public List<byte> Received { get; } = [];

    public bool IsReset { get; private set; }

    /// <summary>Both directions are closed and acknowledged.</summary>
    public bool IsDone => _peerFin && _finSent && _una == FinSeq + 1;

    public ushort Port => port;

    public uint Isn => _isn;

    private uint FinSeq => _isn + 1 + (uint)toSend.Length;

    /// <summary>What the stack sends now.</summary>
    public IEnumerable<Segment> Poll(long now)
    {
        if (IsReset) yield break;
        if (_una != _next && now - _since >= Timeout) Rewind(now);
        if (!_synced)
        {
            if (_next != _isn) yield break;
            _next = _isn + 1;
            _since = now;
            yield return Make(TcpFlags.Syn, _isn, []);
            yield break;
        }
        while (true)
        {
            var flight = _next - _una;
            var left = (int)(FinSeq - _next);
            var usable = (int)Math.Min(_peerWindow, MaxFlight) - (int)flight;
            // A closed window is probed with one byte when the timer comes by.
            if (usable <= 0 && flight == 0 && left > 0 && now - _since >= Timeout) (usable, _since) = (1, now);
            var room = mss - 12 - (_ahead.Count > 0 ? 36 : 0);
            var take = Math.Min(Math.Min(left, usable), random.Next(4) == 0 ? random.Next(1, room + 1) : room);
            var fin = left >= 0 && left == Math.Max(take, 0) && usable >= 0 && !(_finSent && _next == FinSeq + 1);
            if (take <= 0 && !(fin && left == 0)) break;
            take = Math.Max(take, 0);
            if (flight == 0) _since = now;
            var flags = TcpFlags.Ack | (fin ? TcpFlags.Fin : TcpFlags.None);
            var at = _next;
            _next += (uint)take + (fin ? 1u : 0);
            _finSent |= fin;
            _ackDue = false;
            yield return Make(flags, at, toSend.AsSpan((int)(at - _isn - 1), take).ToArray());
            if (fin) break;
        }
        if (_ackDue || random.Next(40) == 0)
        {
            _ackDue = false;
            yield return Make(TcpFlags.Ack, _next, []);
        }
    }

    public void Take(Segment segment, long now)
    {
        if (segment.Flags.HasFlag(TcpFlags.Rst)) { IsReset = true; return; }
        if (segment.Flags.HasFlag(TcpFlags.Syn))
        {
            if (!_synced)
            {
                Assert.Equal(_isn + 1, segment.Ack);
                _synced = true;
                _una = _next = segment.Ack;
                _rcv = _edge = segment.Seq + 1;
                if (segment.Option(TcpOptionKind.WindowScale) is { } scale) (_peerScale, _scale) = (scale[0], 7);
                _peerWindow = segment.Window;
                Note(segment);
            }
            _ackDue = true;
            return;
        }
        if (!_synced) return;
        Note(segment);
        if ((int)(segment.Ack - _una) >= 0 && (int)(segment.Ack - HighestSent) <= 0)
        {
            if (segment.Ack != _una) (_since, _dupAcks) = (now, 0);
            else if (segment.Length == 0 && _next != _una && ++_dupAcks >= 3 && now - _since > 50) Rewind(now);
            _una = segment.Ack;
            if ((int)(_next - _una) < 0) _next = _una;
            _peerWindow = (uint)segment.Window << _peerScale;
        }
        else Assert.True((int)(segment.Ack - HighestSent) <= 0, $"The NAT acknowledged {segment.Ack - _isn}, never sent.");
        if (segment.Length == 0)
        {
            // A probe: an old number, answered with where we are.
            if (segment.Seq != _rcv) _ackDue = true;
            return;
        }
        _ackDue = true;
        Assert.True((int)(segment.Seq + (uint)segment.Payload.Length - _edge) <= 0, "The NAT sent beyond the window.");
        _ahead[segment.Seq] = _ahead.TryGetValue(segment.Seq, out var other) && other.Length > segment.Payload.Length ? other : segment.Payload;
        if (segment.Flags.HasFlag(TcpFlags.Fin)) _peerFinSeq = segment.Seq + (uint)segment.Payload.Length;
        Drain();
    }

    private uint? _peerFinSeq;
    private uint _highest = isn;

    private uint HighestSent => _highest = (int)(_next - _highest) > 0 ? _next : _highest;

    private void Rewind(long now)
    {
        _ = HighestSent;
        _next = _una;
        _since = now;
        _dupAcks = 0;
    }

    private void Note(Segment segment)
    {
        if (!timestamps) return;
        var option = segment.Option(TcpOptionKind.Timestamps);
        Assert.NotNull(option);
        var value = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(option);
        if ((int)(segment.Seq - _rcv) <= 0) _tsRecent = value;
    }

    private void Drain()
    {
        while (_ahead.Count > 0)
        {
            var (seq, data) = _ahead.First();
            if ((int)(seq - _rcv) > 0) break;
            _ahead.Remove(seq);
            var skip = (int)(_rcv - seq);
            if (skip >= data.Length) continue;
            Received.AddRange(data.AsSpan(skip));
            _rcv = seq + (uint)data.Length;
        }
        if (_peerFin || _peerFinSeq != _rcv) return;
        _peerFin = true;
        _rcv++;
    }

    private Segment Make(TcpFlags flags, uint seq, byte[] payload)
    {
        var syn = flags == TcpFlags.Syn;
        // The window goes up and down, and to zero, but never takes back what was promised.
        var window = syn ? 65535 : random.Next(8) switch { 0 => 0, 1 => random.Next(2000), _ => 60_000 };
        var promised = syn ? 0 : (int)(_edge - _rcv);
        if (promised > 0) window = Math.Max(window, promised);
        var field = syn ? window : (window + (1 << _scale) - 1) >> _scale;
        if (!syn)
        {
            field = Math.Min(field, 65535);
            _edge = (int)(_rcv + ((uint)field << _scale) - _edge) > 0 ? _rcv + ((uint)field << _scale) : _edge;
        }
        var options = new List<byte>();
        if (syn)
        {
            options.AddRange(Segment.MssOption((ushort)mss));
            options.AddRange(Segment.ScaleOption(7));
            if (sack) options.AddRange(Segment.SackPermittedOption);
        }
        if (timestamps) options.AddRange(Segment.TimestampOption((uint)_clock++, syn ? 0 : _tsRecent));
        if (!syn && sack && _ahead.Count > 0) options.AddRange(Segment.SackOption([.. Blocks().Take(timestamps ? 3 : 4)]));
        return new Segment
        {
            FromPort = port,
            ToPort = serverPort,
            Seq = seq,
            Ack = syn ? 0 : _rcv,
            Flags = flags,
            Window = (ushort)field,
            Options = [.. options],
            Payload = payload,
        };
    }

    private long _clock = 1000;

    private IEnumerable<(uint Start, uint End)> Blocks()
    {
        foreach (var (seq, data) in _ahead)
        {
            if (data.Length > 0 && (int)(seq - _rcv) > 0) yield return (seq, seq + (uint)data.Length);
        }
    }
}
