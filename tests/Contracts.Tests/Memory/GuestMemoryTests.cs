using CsCheck;
using NicHost.Contracts.Memory;

namespace NicHost.Contracts.Tests.Memory;

public sealed unsafe class GuestMemoryTests
{
    private static readonly GuestRegion Low = new(0, 0xf0000, unchecked((nint)0x10_0000_0000), 0x7f00_0000_0000);
    private static readonly GuestRegion High = new(0x100000, 0x400000, unchecked((nint)0x20_0000_0000), 0x7f00_0010_0000);
    private static readonly GuestMemory Map = new([High, Low]);

    [Theory]
    [InlineData(0UL, 1UL, 0x10_0000_0000L)]
    [InlineData(0xeffffUL, 1UL, 0x10_000e_ffffL)]
    [InlineData(0x100000UL, 0x400000UL, 0x20_0000_0000L)]
    [InlineData(0xf0000UL, 1UL, 0L)]
    [InlineData(0xeffffUL, 2UL, 0L)]
    [InlineData(0x4fffffUL, 2UL, 0L)]
    [InlineData(ulong.MaxValue, 1UL, 0L)]
    [InlineData(ulong.MaxValue, 2UL, 0L)]
    [InlineData(0UL, ulong.MaxValue, 0L)]
    public void Translate_by_guest_address_returns_host_address_or_null(ulong address, ulong length, long expected) =>
        Assert.Equal(expected, (long)Map.Translate(address, length));

    [Fact]
    public void Translate_by_user_address_finds_the_same_bytes() =>
        Assert.Equal((nint)Map.Translate(0x100010, 4), (nint)Map.TranslateUser(0x7f00_0010_0010, 4));

    [Fact]
    public void Translate_across_adjacent_regions_returns_both_pieces()
    {
        var map = new GuestMemory([new(0x1000, 0x1000, 0x10000), new(0x2000, 0x1000, 0x90000)]);
        Span<Segment> pieces = stackalloc Segment[4];
        Assert.Equal(2, map.Translate(0x1800, 0x1000, pieces));
        Assert.Equal((0x10800, 0x800u), ((int)pieces[0].Base, (uint)pieces[0].Length));
        Assert.Equal((0x90000, 0x800u), ((int)pieces[1].Base, (uint)pieces[1].Length));
        Assert.Equal(-1, map.Translate(0x1800, 0x1801, pieces));
        Assert.Equal(-1, map.Translate(0x1800, 0x1000, pieces[..1]));
    }

    [Fact]
    public void Constructor_refuses_overlap_emptiness_and_wrap_around()
    {
        Assert.Throws<ArgumentException>(() => new GuestMemory([Low, new(0xe0000, 0x1000, 1)]));
        Assert.Throws<ArgumentException>(() => new GuestMemory([new(0, 0, 1)]));
        Assert.Throws<ArgumentException>(() => new GuestMemory([new(ulong.MaxValue, 2, 1)]));
    }

    [Fact]
    public void Translate_of_any_run_stays_inside_one_region() =>
        Gen.Select(Gen.ULong[0, 0x600000], Gen.ULong[0, 0x600000]).Sample((address, length) =>
        {
            var host = (nint)Map.Translate(address, length);
            if (host == 0) return true;
            return Map.Regions.ToArray().Any(r => host >= r.HostAddress && (ulong)(host - r.HostAddress) + length <= r.Length);
        });
}
