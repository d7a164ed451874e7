using CsCheck;

namespace NicHost.Wire.Tests;

public sealed class SequenceNumberTests
{
    [Fact]
    public void Order_follows_the_distance_across_the_wrap() =>
        Gen.Select(Gen.UInt, Gen.Int[1, int.MaxValue]).Sample((start, ahead) =>
        {
            uint later = start + (uint)ahead;
            Assert.True(SequenceNumber.Before(start, later) && SequenceNumber.BeforeOrAt(start, later));
            Assert.True(SequenceNumber.After(later, start) && SequenceNumber.AfterOrAt(later, start));
            Assert.False(SequenceNumber.After(start, later) || SequenceNumber.Before(later, start));
            Assert.Equal(ahead, SequenceNumber.Distance(start, later));
            Assert.Equal(-ahead, SequenceNumber.Distance(later, start));
            Assert.Equal(later, SequenceNumber.Later(start, later));
            Assert.Equal(start, SequenceNumber.Earlier(later, start));
            Assert.True(SequenceNumber.BeforeOrAt(start, start) && SequenceNumber.AfterOrAt(start, start) && !SequenceNumber.Before(start, start));
        });

    [Theory]
    [InlineData(0xFFFFFFF0u, 0xFFFFFFF0u, 0x20u, true)]
    [InlineData(0x0000000Fu, 0xFFFFFFF0u, 0x20u, true)]
    [InlineData(0x00000010u, 0xFFFFFFF0u, 0x20u, false)]
    [InlineData(0xFFFFFFEFu, 0xFFFFFFF0u, 0x20u, false)]
    [InlineData(5u, 5u, 0u, false)]
    public void Window_has_its_start_and_not_its_end(uint value, uint start, uint length, bool expected) =>
        Assert.Equal(expected, SequenceNumber.InWindow(value, start, length));
}
