namespace NicHost.Linux.Tests;

public sealed unsafe class MappedFileTests
{
    private static int Page => VirtualMemory.PageSize;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 100)]
    [InlineData(4095, 2)]
    [InlineData(5000, 4096)]
    public void Any_offset_is_mapped_where_it_is_asked_for(long offset, long length)
    {
        using Fd file = VirtualMemory.CreateMemoryFile("map", 4 * Page);
        using MappedFile whole = MappedFile.Map(file.Raw, 0, (ulong)(4 * Page));
        using MappedFile part = MappedFile.Map(file.Raw, (ulong)offset, (ulong)length);
        *(byte*)part.Address = 0xAB;
        ((byte*)part.Address)[length - 1] = 0xCD;
        Assert.Equal(length == 1 ? 0xCD : 0xAB, ((byte*)whole.Address)[offset]);
        Assert.Equal(0xCD, ((byte*)whole.Address)[offset + length - 1]);
        Assert.Equal((nuint)length, part.Length);
    }

    [Theory]
    [InlineData(0UL, 0UL, Errno.EINVAL)]
    [InlineData(0UL, ulong.MaxValue, Errno.EINVAL)]
    [InlineData(ulong.MaxValue, 1UL, Errno.EINVAL)]
    [InlineData(0x7FFF_FFFF_FFFF_FFFFUL, 1UL, Errno.EINVAL)]
    [InlineData(0UL, 0x7FFF_FFFF_FFFF_FFFFUL, Errno.ENXIO)]
    [InlineData(1UL, 65536UL, Errno.ENXIO)]
    [InlineData(65536UL, 1UL, Errno.ENXIO)]
    public void Ranges_that_make_no_sense_are_refused(ulong offset, ulong length, Errno expected)
    {
        using Fd file = VirtualMemory.CreateMemoryFile("map", 65536);
        Assert.Equal(expected, MappedFile.TryMap(file.Raw, offset, length, Protection.ReadWrite, out MappedFile? mapping));
        Assert.Null(mapping);
    }

    [Fact]
    public void Descriptor_that_cannot_be_mapped_is_an_error_value()
    {
        using EventFd notAFile = new();
        Assert.NotEqual(Errno.None, MappedFile.TryMap(notAFile.Raw, 0, 100, Protection.ReadWrite, out _));
        Assert.Equal(Errno.EBADF, MappedFile.TryMap(-1, 0, 100, Protection.ReadWrite, out _));
    }

    [Fact]
    public void Seals_are_kept_by_the_kernel()
    {
        using Fd file = VirtualMemory.CreateMemoryFile("seal", Page);
        Assert.True(VirtualMemory.AddSeals(file.Raw, FileSeals.Shrink).Ok);
        Assert.True(VirtualMemory.GetSeals(file.Raw, out FileSeals seals).Ok);
        Assert.Equal(FileSeals.Shrink, seals);
        Assert.Equal(Errno.EPERM, VirtualMemory.Resize(file.Raw, 0).Error);
        Assert.True(VirtualMemory.Resize(file.Raw, 2 * Page).Ok);
    }

    [Fact]
    public void Mapping_outlives_the_descriptor_and_ends_with_dispose()
    {
        MappedFile map;
        using (Fd file = VirtualMemory.CreateMemoryFile("map", Page)) map = MappedFile.Map(file.Raw, 0, (ulong)Page);
        *(int*)map.Address = 5;
        Assert.Equal(5, *(int*)map.Address);
        nint address = map.Address;
        map.Dispose();
        Assert.DoesNotContain(File.ReadLines("/proc/self/maps"), line => line.StartsWith($"{address:x}-", StringComparison.Ordinal) && line.Contains("memfd:map", StringComparison.Ordinal));
    }
}
