namespace NicHost.Linux.Tests;

public sealed class ProcessTests
{
    [Fact]
    public void Results_carry_either_a_value_or_an_error()
    {
        Assert.True(new SysResult(5).Ok);
        Assert.Equal(5, new SysResult(5).Count);
        Assert.Equal(Errno.None, new SysResult(5).Error);
        SysResult failed = SysResult.Failure(Errno.EAGAIN);
        Assert.True(failed.Failed && failed.WouldBlock);
        Assert.Equal(Errno.EAGAIN, failed.Error);
        LinuxException thrown = Assert.Throws<LinuxException>(() => failed.OrThrow("try it"));
        Assert.StartsWith("try it: EAGAIN (", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(Errno.EBADF, Io.Read(-1, new byte[1]).Error);
    }

    [Fact]
    public void Duplicate_lives_on_when_the_original_is_closed()
    {
        using EventFd original = new();
        using Fd copy = Fd.Dup(original.Raw);
        Assert.NotEqual(original.Raw, copy.Raw);
        original.Signal();
        original.Dispose();
        Assert.Equal(1, EventFd.Drain(copy.Raw).Value);
        int released = copy.Release();
        copy.Dispose();
        Assert.True(EventFd.Signal(released).Ok);
        Io.Close(released);
        Assert.Equal(Errno.EBADF, EventFd.Signal(released).Error);
    }

    [Fact]
    public void Blocking_mode_can_be_switched()
    {
        using EventFd fd = new();
        Assert.True(Io.SetNonBlocking(fd.Raw, false).Ok);
        Assert.Equal(0, Io.Control(fd.Raw, 3, 0).Count & 0x800);
        Assert.True(Io.SetNonBlocking(fd.Raw, true).Ok);
        Assert.True(Io.Read(fd.Raw, new byte[8]).WouldBlock);
    }

    [Fact]
    public void Machine_answers_small_questions()
    {
        byte[] random = new byte[64];
        ThisProcess.FillRandom(random);
        Assert.NotEqual(-1, random.AsSpan().IndexOfAnyExcept((byte)0));
        Assert.Equal("lo", ThisProcess.InterfaceName((uint)ThisProcess.InterfaceIndex("lo").OrThrow("lo")));
        Assert.Equal(Errno.ENODEV, ThisProcess.InterfaceIndex("nope0").Error);
        Assert.Null(ThisProcess.InterfaceName(99_999));
        long before = ThisProcess.MonotonicNanoseconds;
        Assert.InRange(ThisProcess.MonotonicNanoseconds, before, before + 60_000_000_000);
        Assert.True(ThisProcess.RaiseFileLimit().Value >= 256);
    }

    [Fact]
    public void Thread_takes_a_name_and_idle_priority()
    {
        string? name = null;
        bool idle = false;
        Thread thread = new(() =>
        {
            ThisProcess.SetThreadName("spinner");
            name = File.ReadAllText("/proc/thread-self/comm").Trim();
            idle = ThisProcess.SetIdlePriority(true).Ok;
        });
        thread.Start();
        Assert.True(thread.Join(TimeSpan.FromSeconds(10)));
        Assert.Equal("spinner", name);
        Assert.True(idle);
    }
}
