using CsCheck;
using NicHost.Contracts.Memory;

namespace NicHost.Contracts.Tests.Memory;

public sealed unsafe class SegmentOpsTests
{
    [Fact]
    public void Copy_and_slice_agree_with_one_flat_array() =>
        Gen.Select(Gen.Int[1, 40].Array[1, 8], Gen.Int[0, 300], Gen.Int[0, 300]).Sample((lengths, offset, length) =>
        {
            var flat = new byte[lengths.Sum()];
            for (var i = 0; i < flat.Length; i++) flat[i] = (byte)(i + 1);
            fixed (byte* start = flat)
            {
                var segments = new Segment[lengths.Length];
                for (var (i, at) = (0, 0); i < lengths.Length; at += lengths[i++]) segments[i] = new Segment(start + at, lengths[i]);

                var copy = new byte[length];
                var copied = SegmentOps.CopyTo(segments, offset, copy);
                var expected = flat.Skip(offset).Take(length).ToArray();
                if (!copy.AsSpan(0, copied).SequenceEqual(expected)) return false;

                var pieces = new Segment[8];
                var count = SegmentOps.Slice(segments, offset, length, pieces);
                if (length > 0 && offset + length > flat.Length) return count == -1;
                return pieces.Take(count).SelectMany(p => p.Span.ToArray()).SequenceEqual(expected);
            }
        });

    [Fact]
    public void CopyFrom_writes_across_segments_and_stops_at_the_end()
    {
        var flat = new byte[6];
        fixed (byte* start = flat)
        {
            Segment[] segments = [new(start, 2), new(start + 2, 4)];
            Assert.Equal(5, SegmentOps.CopyFrom(segments, 1, [1, 2, 3, 4, 5, 6, 7]));
            Assert.Equal([0, 1, 2, 3, 4, 5], flat);
            Assert.Equal(6, SegmentOps.TotalLength(segments));
        }
    }

    [Fact]
    public void Segment_longer_than_an_int_says_is_used_as_far_as_it_is_wanted()
    {
        var bytes = stackalloc byte[8];
        ReadOnlySpan<Segment> huge = [new Segment { Base = bytes, Length = 0x8000_0000 }];
        Assert.Equal(4, SegmentOps.CopyFrom(huge, 2, [1, 2, 3, 4]));
        var back = new byte[4];
        Assert.Equal(4, SegmentOps.CopyTo(huge, 2, back));
        Assert.Equal([1, 2, 3, 4], back);
        var slice = new Segment[1];
        Assert.Equal(1, SegmentOps.Slice(huge, 2, 4, slice));
        Assert.Equal(4u, slice[0].Length);
    }
}
