using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using Samples.Switch.Fabric;
using Samples.Switch.Tests.Rig;

namespace Samples.Switch.Tests.Fabric;

public sealed class FrameRingTests
{
    private const int Size = 256 << 10;

    [Fact]
    public void Frames_of_every_length_come_out_as_they_went_in_wherever_the_ring_ends()
    {
        var ring = new FrameRing(Size, 1024);
        for (var length = 14; length <= FrameLimits.MaxFrame; length += 1 + (length / 9))
        {
            for (var i = 0; i < 5; i++)
            {
                Assert.True(Write(ring, Content(length, i), new FrameOffload { SegmentSize = (ushort)i }));
                var (bytes, segment) = Read(ring);
                Assert.Equal(Content(length, i), bytes);
                Assert.Equal(i, segment);
            }
        }
    }

    [Fact]
    public void Ring_takes_no_more_frames_than_it_may()
    {
        var ring = new FrameRing(Size, 16);
        for (var i = 0; i < 16; i++) Assert.True(Write(ring, Content(60, i)));
        Assert.False(Write(ring, Content(60, 16)));
        Assert.False(ring.IsHalfEmpty);
        _ = Read(ring);
        Assert.True(Write(ring, Content(60, 16)));
        Assert.Equal(16, ring.Count);
    }

    [Fact]
    public void Ring_takes_no_more_bytes_than_it_has()
    {
        var ring = new FrameRing(Size, 1024);
        var written = 0;
        while (Write(ring, Content(60_000, written))) written++;
        Assert.Equal(4, written);
        for (var i = 0; i < written; i++) Assert.Equal(Content(60_000, i), Read(ring).Bytes);
        Assert.Equal(0, ring.Count);
        Assert.True(ring.IsHalfEmpty);
    }

    [Fact]
    public void Two_threads_pass_frames_without_a_lock_and_lose_none()
    {
        const int Frames = 50_000;
        var ring = new FrameRing(Size, 64);
        var seed = Environment.TickCount;
        var writer = new Thread(() =>
        {
            var random = new Random(seed);
            for (var i = 0; i < Frames; i++)
            {
                var frame = Content(random.Next(14, 3000), i);
                SpinWait.SpinUntil(() => Write(ring, frame, new FrameOffload { Hash = (uint)i }));
            }
        });
        writer.Start();
        var lengths = new Random(seed);
        for (var i = 0; i < Frames; i++)
        {
            SpinWait.SpinUntil(() => ring.Count > 0);
            var length = lengths.Next(14, 3000);
            var (bytes, _) = Read(ring);
            Assert.True(bytes.AsSpan().SequenceEqual(Content(length, i)), $"seed {seed}, frame {i}");
        }
        writer.Join();
    }

    private static byte[] Content(int length, int number) => Frames.Of(Frames.Address(1), Frames.Address(2), length, number);

    private static unsafe bool Write(FrameRing ring, byte[] frame, FrameOffload offload = default)
    {
        fixed (byte* bytes = frame) return ring.TryWrite([new Segment(bytes, 13), new Segment(bytes + 13, frame.Length - 13)], frame.Length, offload);
    }

    private static (byte[] Bytes, ushort Segment) Read(FrameRing ring)
    {
        var room = new Segment[2];
        Assert.True(ring.TryPeek(room, out var parts, out var header));
        var bytes = new byte[header.Length];
        Assert.Equal(header.Length, SegmentOps.CopyTo(room.AsSpan(0, parts), 0, bytes));
        ring.Release(header);
        return (bytes, header.Offload.SegmentSize);
    }
}
