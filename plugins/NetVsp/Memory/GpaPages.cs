using NicHost.Contracts.Memory;

namespace NicHost.NetVsp.Memory;

/// <summary>
/// A buffer made of guest pages in any order: what a GPADL describes. Every page was translated and checked when it was made; whoever made it
/// keeps the memory mapped as long as it is used. Runs of pages that lie together in this process are handed out as one piece.
/// </summary>
internal sealed unsafe class GpaPages
{
    /// <summary>Bytes of a page in every message of VMBus.</summary>
    public const int PageSize = 4096;

    private const int PageShift = 12;

    private readonly nint[] _pages;

    // For each page, the first page after its run of neighbours.
    private readonly int[] _runEnds;

    private GpaPages(nint[] pages, int[] runEnds)
    {
        _pages = pages;
        _runEnds = runEnds;
    }

    /// <summary>Pages.</summary>
    public int Count => _pages.Length;

    /// <summary>Bytes.</summary>
    public int Length => _pages.Length << PageShift;

    /// <summary>Runs of pages that lie together.</summary>
    public int Runs
    {
        get
        {
            var runs = 0;
            for (var page = 0; page < _pages.Length; page = _runEnds[page]) runs++;
            return runs;
        }
    }

    /// <summary>Translates page frame numbers.</summary>
    /// <param name="map">The guest's memory.</param>
    /// <param name="frames">Guest page frame numbers, in the buffer's order.</param>
    /// <param name="bad">The first frame that is not the guest's memory.</param>
    /// <returns>Null when one is not.</returns>
    public static GpaPages? TryMake(GuestMemory map, ReadOnlySpan<ulong> frames, out ulong bad)
    {
        bad = 0;
        var pages = new nint[frames.Length];
        for (var i = 0; i < frames.Length; i++)
        {
            var host = frames[i] > ulong.MaxValue >> PageShift ? null : map.Translate(frames[i] << PageShift, PageSize);
            if (host == null)
            {
                bad = frames[i];
                return null;
            }
            pages[i] = (nint)host;
        }
        return Over(pages);
    }

    /// <summary>The same memory, without the pages before <paramref name="first"/> and after <paramref name="count"/> of them.</summary>
    public GpaPages Slice(int first, int count) => Over(_pages.AsSpan(first, count).ToArray());

    /// <summary>The bytes from <paramref name="offset"/> on that lie in one piece, at most <paramref name="length"/>.</summary>
    public Span<byte> Piece(int offset, int length)
    {
        var page = offset >> PageShift;
        var run = (_runEnds[page] << PageShift) - offset;
        // SAFETY: page < Count by the callers' bounds (the array index above checks it), and run ends with its last neighbour.
        return new Span<byte>((byte*)_pages[page] + (offset & (PageSize - 1)), Math.Min(run, length));
    }

    /// <summary>The address of a place, which is good for the rest of its page.</summary>
    public byte* At(int offset) => (byte*)_pages[offset >> PageShift] + (offset & (PageSize - 1));

    /// <summary>Writes the pieces that cover a run.</summary>
    /// <returns>How many; −1 when the run is not inside or <paramref name="segments"/> has no room.</returns>
    public int Cover(int offset, int length, Span<Segment> segments)
    {
        if (offset < 0 || length < 0 || offset > Length - length) return -1;
        var count = 0;
        while (length > 0)
        {
            if (count == segments.Length) return -1;
            var page = offset >> PageShift;
            var take = Math.Min((_runEnds[page] << PageShift) - offset, length);
            segments[count++] = new Segment((byte*)_pages[page] + (offset & (PageSize - 1)), take);
            offset += take;
            length -= take;
        }
        return count;
    }

    /// <summary>Copies out.</summary>
    public void CopyTo(int offset, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            var piece = Piece(offset, destination.Length);
            piece.CopyTo(destination);
            destination = destination[piece.Length..];
            offset += piece.Length;
        }
    }

    /// <summary>Copies in.</summary>
    public void CopyFrom(int offset, ReadOnlySpan<byte> source)
    {
        while (source.Length > 0)
        {
            var piece = Piece(offset, source.Length);
            source[..piece.Length].CopyTo(piece);
            source = source[piece.Length..];
            offset += piece.Length;
        }
    }

    /// <summary>Whether any page lies in a run of this process's memory.</summary>
    public bool Touches(nint start, nuint length)
    {
        foreach (var page in _pages)
        {
            if ((nuint)(page - start) < length) return true;
        }
        return false;
    }

    private static GpaPages Over(nint[] pages)
    {
        var runEnds = new int[pages.Length];
        for (var i = pages.Length - 1; i >= 0; i--)
            runEnds[i] = i + 1 < pages.Length && pages[i + 1] == pages[i] + PageSize ? runEnds[i + 1] : i + 1;
        return new GpaPages(pages, runEnds);
    }
}
