namespace NicHost.Contracts.Memory;

/// <summary>Copies between runs of segments and plain spans. Nothing here allocates or throws for short input.</summary>
public static unsafe class SegmentOps
{
    /// <summary>The sum of all lengths, in bytes.</summary>
    public static long TotalLength(ReadOnlySpan<Segment> segments)
    {
        long total = 0;
        foreach (ref readonly var segment in segments) total += (long)segment.Length;
        return total;
    }

    /// <summary>Copies up to <c>destination.Length</c> bytes, starting <paramref name="offset"/> bytes into the run.</summary>
    /// <returns>The bytes copied: fewer than asked when the run ends first.</returns>
    public static int CopyTo(ReadOnlySpan<Segment> segments, int offset, Span<byte> destination)
    {
        var copied = 0;
        foreach (ref readonly var segment in segments)
        {
            if ((nuint)offset >= segment.Length) { offset -= (int)segment.Length; continue; }
            var take = Take(segment, offset, destination.Length - copied);
            // SAFETY: offset + take <= segment.Length, and the segment's owner keeps it mapped.
            new ReadOnlySpan<byte>(segment.Base + offset, take).CopyTo(destination[copied..]);
            copied += take;
            offset = 0;
            if (copied == destination.Length) break;
        }
        return copied;
    }

    /// <summary>Copies <paramref name="source"/> into the run, starting <paramref name="offset"/> bytes into it.</summary>
    /// <returns>The bytes copied: fewer than given when the run ends first.</returns>
    public static int CopyFrom(ReadOnlySpan<Segment> segments, int offset, ReadOnlySpan<byte> source)
    {
        var copied = 0;
        foreach (ref readonly var segment in segments)
        {
            if ((nuint)offset >= segment.Length) { offset -= (int)segment.Length; continue; }
            var take = Take(segment, offset, source.Length - copied);
            // SAFETY: offset + take <= segment.Length, and the segment's owner keeps it mapped.
            source.Slice(copied, take).CopyTo(new Span<byte>(segment.Base + offset, take));
            copied += take;
            offset = 0;
            if (copied == source.Length) break;
        }
        return copied;
    }

    /// <summary>
    /// Writes to <paramref name="output"/> the segments that cover <paramref name="length"/> bytes from
    /// <paramref name="offset"/> on: a view, no copy.
    /// </summary>
    /// <returns>How many were written; −1 when the run is shorter than asked or <paramref name="output"/> is too small.</returns>
    public static int Slice(ReadOnlySpan<Segment> segments, int offset, int length, Span<Segment> output)
    {
        var count = 0;
        foreach (ref readonly var segment in segments)
        {
            if (length == 0) break;
            if ((nuint)offset >= segment.Length) { offset -= (int)segment.Length; continue; }
            if (count == output.Length) return -1;
            var take = Take(segment, offset, length);
            // SAFETY: offset + take <= segment.Length.
            output[count++] = new Segment(segment.Base + offset, take);
            length -= take;
            offset = 0;
        }
        return length == 0 ? count : -1;
    }

    // A guest's segment may be longer than any int says: only what is wanted of it counts.
    private static int Take(in Segment segment, int offset, int wanted) => (int)Math.Min(segment.Length - (nuint)offset, (nuint)wanted);
}
