namespace NicHost.Linux.Tests;

public sealed class DescriptorPassingTests : IDisposable
{
    private readonly Fd _left;
    private readonly Fd _right;

    public DescriptorPassingTests() => (_left, _right) = UnixSocket.Pair();

    public void Dispose()
    {
        _left.Dispose();
        _right.Dispose();
    }

    [Fact]
    public void Descriptors_arrive_open_and_closed_on_exec()
    {
        using EventFd one = new();
        using EventFd two = new();
        int[] fds = new int[8];
        byte[] data = new byte[16];
        Assert.Equal(2, UnixSocket.SendWithFds(_left.Raw, "hi"u8, [one.Raw, two.Raw]).Count);

        Assert.Equal(2, UnixSocket.ReceiveWithFds(_right.Raw, data, fds, out int count, out bool truncated).Count);

        Assert.Equal(2, count);
        Assert.False(truncated);
        using Fd first = new(fds[0]);
        using Fd second = new(fds[1]);
        EventFd.Signal(second.Raw);
        Assert.Equal(1, two.Drain().Value);
        Assert.Equal(0, one.Drain().Value);
        Assert.Equal(1, Io.Control(first.Raw, 1 /* F_GETFD */, 0).Count);
    }

    [Fact]
    public void Data_without_descriptors_passes()
    {
        UnixSocket.SendWithFds(_left.Raw, "x"u8, []);
        Assert.Equal(1, UnixSocket.ReceiveWithFds(_right.Raw, new byte[4], new int[4], out int count, out bool truncated).Count);
        Assert.Equal((0, false), (count, truncated));
    }

    [Fact]
    public void Nothing_there_would_block_and_the_end_is_zero()
    {
        Assert.True(UnixSocket.ReceiveWithFds(_right.Raw, new byte[4], new int[4], out _, out _).WouldBlock);
        _left.Dispose();
        Assert.Equal(0, UnixSocket.ReceiveWithFds(_right.Raw, new byte[4], new int[4], out _, out _).Value);
    }

    [Theory]
    [InlineData(9, 8)]
    [InlineData(253, 8)]
    [InlineData(253, 0)]
    public void Too_many_descriptors_are_reported_and_none_leaks(int sent, int room)
    {
        using EventFd one = new();
        int[] fds = new int[room];
        int[] many = [.. Enumerable.Repeat(one.Raw, sent)];
        byte[] data = new byte[4];
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(1, UnixSocket.SendWithFds(_left.Raw, "x"u8, many).Count);
            Assert.Equal(1, UnixSocket.ReceiveWithFds(_right.Raw, data, fds, out int count, out bool truncated).Count);
            Assert.Equal(0, count);
            Assert.True(truncated);
        }

        // Other tests open descriptors meanwhile: count only those of this eventfd.
        Assert.Equal(1, DescriptorsOf(one.Raw));
    }

    [Fact]
    public void As_many_as_there_is_room_for_all_arrive()
    {
        using EventFd one = new();
        int[] fds = new int[UnixSocket.MaxDescriptors];
        UnixSocket.SendWithFds(_left.Raw, "x"u8, [.. Enumerable.Repeat(one.Raw, UnixSocket.MaxDescriptors)]);
        UnixSocket.ReceiveWithFds(_right.Raw, new byte[4], fds, out int count, out bool truncated);
        Assert.Equal((UnixSocket.MaxDescriptors, false), (count, truncated));
        Assert.Equal(1 + count, DescriptorsOf(one.Raw));
        foreach (int fd in fds) Io.Close(fd);
        Assert.Equal(1, DescriptorsOf(one.Raw));
    }

    [Fact]
    public void More_than_the_kernel_takes_is_refused()
    {
        int[] many = [.. Enumerable.Repeat(_left.Raw, UnixSocket.MaxDescriptors + 1)];
        Assert.Equal(Errno.EINVAL, UnixSocket.SendWithFds(_left.Raw, "x"u8, many).Error);
    }

    private static int DescriptorsOf(int eventFd)
    {
        string id = Id(eventFd);
        return Directory.GetFiles("/proc/self/fdinfo").Count(path => Id(int.Parse(Path.GetFileName(path), null)) == id);
    }

    private static string Id(int fd)
    {
        try
        {
            return File.ReadLines($"/proc/self/fdinfo/{fd}").FirstOrDefault(line => line.StartsWith("eventfd-id", StringComparison.Ordinal)) ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
