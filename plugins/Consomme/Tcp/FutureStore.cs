using System.Buffers;
using NicHost.Contracts.Memory;

namespace NicHost.Consomme.Tcp;

/// <summary>
/// Text of the guest that came before its turn: a ring addressed by sequence number, and the ranges that it holds. The link keeps the
/// order, so this is for guests that lose frames on their own way out; what does not fit they send again.
/// </summary>
internal sealed class FutureStore
{
    /// <summary>How far ahead text is kept; a power of two, so that numbers address the ring across their wrap.</summary>
    public const int Capacity = 256 << 10;

    private byte[] _ring = [];
    private SackBoard _ranges;
    private uint _latest;

    public bool IsEmpty => _ranges.Count == 0;

    public void Open()
    {
        _ring = ArrayPool<byte>.Shared.Rent(Capacity);
        _ranges.Clear();
    }

    public void Close()
    {
        ArrayPool<byte>.Shared.Return(_ring);
        _ring = [];
    }

    /// <summary>Keeps text that starts at <paramref name="seq"/>, beyond <paramref name="next"/>.</summary>
    /// <param name="offset">Where it starts in the run of segments.</param>
    /// <returns>False when it lies too far ahead or would be one hole too many.</returns>
    public bool Add(uint seq, uint next, ReadOnlySpan<Segment> segments, int offset, int length)
    {
        if (length <= 0 || seq - next + (uint)length > Capacity) return false;
        var range = new SackRange(seq, seq + (uint)length);
        // Nothing new is no failure: the sender did not know.
        if (!_ranges.Add(range, next, next + Capacity) && !Contains(range)) return false;
        _latest = seq;
        var at = (int)(seq % Capacity);
        var first = Math.Min(length, Capacity - at);
        SegmentOps.CopyTo(segments, offset, _ring.AsSpan(at, first));
        if (first < length) SegmentOps.CopyTo(segments, offset + first, _ring.AsSpan(0, length - first));
        return true;
    }

    /// <summary>Text that is in order now, as far as it lies in one piece.</summary>
    public ReadOnlySpan<byte> Ready(uint next)
    {
        _ranges.Trim(next);
        if (_ranges.Count == 0 || Seq.After(_ranges.All[0].Start, next)) return default;
        var at = (int)(next % Capacity);
        return _ring.AsSpan(at, (int)Math.Min(_ranges.All[0].End - next, (uint)(Capacity - at)));
    }

    /// <summary>The ranges to report, the latest first (RFC 2018 4).</summary>
    /// <returns>How many were written.</returns>
    public int Report(Span<SackRange> blocks)
    {
        var count = 0;
        foreach (var range in _ranges.All)
        {
            if (_latest - range.Start < range.End - range.Start) blocks[count++] = range;
        }
        foreach (var range in _ranges.All)
        {
            if (count == blocks.Length) break;
            if (_latest - range.Start >= range.End - range.Start) blocks[count++] = range;
        }
        return count;
    }

    private bool Contains(SackRange range)
    {
        foreach (var held in _ranges.All)
        {
            if (!Seq.After(held.Start, range.Start) && !Seq.Before(held.End, range.End)) return true;
        }
        return false;
    }
}
