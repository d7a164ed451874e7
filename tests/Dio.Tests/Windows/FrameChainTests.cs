using NicHost.Dio.Windows;
using NicHost.Testing;

namespace NicHost.Dio.Tests.Windows;

public sealed class FrameChainTests
{
    [Fact]
    public void Links_lead_from_frame_to_frame()
    {
        byte[][] frames = [TestFrames.Plain(60, 1), TestFrames.Plain(1514, 2), TestFrames.Plain(61, 3)];
        var bytes = FakeVmNic.Chain(frames);
        var offset = 0;
        foreach (var frame in frames)
        {
            var link = FrameChain.At(bytes, offset);
            Assert.True(link.IsSound);
            Assert.Equal(frame, bytes[link.Start..(link.Start + link.Length)]);
            offset = link.Next;
        }
        Assert.True(offset < 0);
    }

    [Theory]
    [InlineData(0u, 53u, "longer than what was read")]
    [InlineData(0u, uint.MaxValue, "much longer")]
    [InlineData(0u, 0x8000_0000u, "negative")]
    [InlineData(8u, 52u, "next within the frame")]
    [InlineData(7u, 14u, "next within the header")]
    [InlineData(uint.MaxValue, 20u, "next before this one")]
    [InlineData(0xffff_fff8u, 20u, "next before this one")]
    [InlineData(53u, 20u, "next behind the end")]
    public void Link_that_contradicts_what_was_read_ends_the_chain(uint next, uint length, string what)
    {
        var link = FrameChain.At(FakeVmNic.Link(new byte[52], next, length).AsSpan(0, 60), 0);
        Assert.False(link.IsSound, what);
        Assert.True(link.Next < 0, what);
    }

    [Fact]
    public void Frame_that_is_too_short_is_none_and_the_chain_goes_on()
    {
        var link = FrameChain.At(FakeVmNic.Chain(new byte[13], TestFrames.Plain(60, 1)), 0);
        Assert.False(link.IsSound);
        Assert.Equal(24, link.Next);
    }

    [Fact]
    public void Any_bytes_lead_to_frames_inside_them_and_to_an_end()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(0, 200)];
            random.NextBytes(bytes);
            // Mostly small numbers, so that some links hold.
            for (var i = 0; i < bytes.Length; i++) if (i % 4 != 0 || random.Next(4) == 0) bytes[i] = 0;
            var links = 0;
            for (var offset = 0; offset >= 0; links++)
            {
                var link = FrameChain.At(bytes, offset);
                Assert.True(link.Next < 0 || link.Next > offset, $"goes back, seed {seed}");
                if (link.IsSound) Assert.True(link.Start == offset + 8 && link.Length >= 14 && link.Start + link.Length <= bytes.Length, $"outside, seed {seed}");
                offset = link.Next;
            }
            Assert.True(links <= 1 + (bytes.Length / 8), $"{links} links, seed {seed}");
        }
    }
}
