using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace NicHost.Consomme.Tcp;

/// <summary>
/// What the guest has received beyond its acknowledgement: a few disjoint ranges, sorted. A range that does not fit is forgotten, which
/// costs a needless retransmission and nothing else.
/// </summary>
internal struct SackBoard
{
    private const int Capacity = 16;
    private Ranges _ranges;

    public int Count { get; private set; }

    /// <summary>End of the last range; only when there is one.</summary>
    public readonly uint Highest => _ranges[Count - 1].End;

    /// <summary>The ranges, sorted.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<SackRange> All => ((ReadOnlySpan<SackRange>)_ranges)[..Count];

    /// <summary>Adds a block if it lies inside what was sent and is not acknowledged.</summary>
    /// <returns>Whether something new was learnt.</returns>
    public bool Add(SackRange block, uint una, uint max)
    {
        // RFC 2883: a block below the acknowledgement reports a duplicate, nothing that is missing.
        if (!Seq.After(block.End, block.Start) || !Seq.After(block.Start, una) || Seq.After(block.End, max)) return false;
        Span<SackRange> ranges = _ranges;
        var at = 0;
        while (at < Count && Seq.Before(ranges[at].End, block.Start)) at++;
        var last = at;
        var (start, end) = (block.Start, block.End);
        while (last < Count && !Seq.After(ranges[last].Start, end))
        {
            if (!Seq.After(ranges[last].Start, block.Start) && !Seq.Before(ranges[last].End, block.End)) return false;
            start = Seq.Min(start, ranges[last].Start);
            end = Seq.Max(end, ranges[last].End);
            last++;
        }
        if (last == at)
        {
            if (Count == Capacity) return false;
            ranges[at..Count].CopyTo(ranges[(at + 1)..]);
            Count++;
        }
        else
        {
            ranges[last..Count].CopyTo(ranges[(at + 1)..]);
            Count -= last - at - 1;
        }
        ranges[at] = new SackRange(start, end);
        return true;
    }

    /// <summary>Forgets what is acknowledged now.</summary>
    public void Trim(uint una)
    {
        if (Count == 0) return;
        Span<SackRange> ranges = _ranges;
        var gone = 0;
        while (gone < Count && !Seq.After(ranges[gone].End, una)) gone++;
        ranges[gone..Count].CopyTo(ranges);
        Count -= gone;
    }

    public void Clear() => Count = 0;

    /// <summary>The first number from <paramref name="seq"/> on that the guest is not known to have, and where the hole ends.</summary>
    /// <param name="end">Start of the next range above, or <paramref name="limit"/>.</param>
    public readonly uint NextHole(uint seq, uint limit, out uint end)
    {
        foreach (var range in All)
        {
            if (Seq.Before(seq, range.Start))
            {
                end = Seq.Min(range.Start, limit);
                return seq;
            }
            if (Seq.Before(seq, range.End)) seq = range.End;
        }
        end = limit;
        return seq;
    }

    /// <summary>Bytes of the ranges.</summary>
    public readonly uint Total()
    {
        uint total = 0;
        foreach (var range in All) total += range.End - range.Start;
        return total;
    }

    [InlineArray(Capacity)]
    private struct Ranges
    {
        private SackRange _first;
    }
}
