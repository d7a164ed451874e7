namespace NicHost.Linux.Tests;

public sealed class EpollTests
{
    [Fact]
    public void Reports_carry_their_own_data_in_every_slot()
    {
        using Epoll epoll = new();
        EventFd[] fds = [.. Enumerable.Range(0, 5).Select(_ => new EventFd())];
        for (int i = 0; i < fds.Length; i++)
        {
            Assert.True(epoll.Add(fds[i].Raw, EpollEvents.In | EpollEvents.EdgeTriggered, 0xF00D_0000_0000_0000UL + (ulong)i).Ok);
            Assert.True(fds[i].Signal().Ok);
        }

        EpollEvent[] events = new EpollEvent[8];
        SysResult result = epoll.Wait(events, 1000);

        Assert.Equal(5, result.Count);
        Assert.All(events[..5], e => Assert.Equal(EpollEvents.In, e.Events));
        Assert.Equal(
            Enumerable.Range(0, 5).Select(i => 0xF00D_0000_0000_0000UL + (ulong)i),
            events[..5].Select(e => e.Data).Order());
        foreach (EventFd fd in fds) fd.Dispose();
    }

    [Fact]
    public void Wait_returns_zero_when_nothing_happens()
    {
        using Epoll epoll = new();
        using EventFd fd = new();
        epoll.Add(fd.Raw, EpollEvents.In, 1);
        Assert.Equal(0, epoll.Wait(new EpollEvent[1], 0).Count);
    }

    [Fact]
    public void Modify_changes_events_and_data_and_remove_ends_reports()
    {
        using Epoll epoll = new();
        using EventFd fd = new();
        EpollEvent[] events = new EpollEvent[2];
        epoll.Add(fd.Raw, EpollEvents.In, 1);
        Assert.True(epoll.Modify(fd.Raw, EpollEvents.Out, 2).Ok);
        Assert.Equal(1, epoll.Wait(events, 0).Count);
        Assert.Equal((EpollEvents.Out, 2UL), (events[0].Events, events[0].Data));
        Assert.True(epoll.Remove(fd.Raw).Ok);
        Assert.Equal(0, epoll.Wait(events, 0).Count);
        Assert.Equal(Errno.ENOENT, epoll.Remove(fd.Raw).Error);
    }

    [Fact]
    public void Adding_twice_is_an_error_value()
    {
        using Epoll epoll = new();
        using EventFd fd = new();
        epoll.Add(fd.Raw, EpollEvents.In, 1);
        Assert.Equal(Errno.EEXIST, epoll.Add(fd.Raw, EpollEvents.In, 1).Error);
    }

    [Fact]
    public void Eventfd_counts_and_drains()
    {
        using EventFd fd = new();
        Assert.Equal(0, fd.Drain().Value);
        fd.Signal();
        fd.Signal();
        Assert.Equal(PollEvents.In, Io.Poll(fd.Raw, PollEvents.In, 0));
        Assert.Equal(2, fd.Drain().Value);
        Assert.Equal(PollEvents.None, Io.Poll(fd.Raw, PollEvents.In, 0));
    }

    [Fact]
    public void Signal_on_a_full_eventfd_succeeds()
    {
        using EventFd fd = new();
        Span<byte> full = stackalloc byte[8];
        BitConverter.TryWriteBytes(full, ulong.MaxValue - 1);
        Assert.Equal(8, Io.Write(fd.Raw, full).Count);
        Assert.True(fd.Signal().Ok);
        Assert.Equal(nint.MaxValue, fd.Drain().Value);
    }

    [Fact]
    public void Signal_on_something_else_is_an_error_value()
    {
        (Fd left, Fd right) = UnixSocket.Pair();
        right.Dispose();
        Assert.Equal(Errno.EBADF, EventFd.Signal(-1).Error);
        left.Dispose();
    }

    [Fact]
    public void Timer_fires_once_and_can_be_stopped()
    {
        using TimerFd timer = new();
        Assert.True(timer.FireAt(ThisProcess.MonotonicNanoseconds - 1).Ok);
        Assert.Equal(PollEvents.In, Io.Poll(timer.Raw, PollEvents.In, 1000));
        Assert.Equal(1, timer.Drain().Value);
        timer.FireAt(ThisProcess.MonotonicNanoseconds + 60_000_000_000);
        Assert.Equal(PollEvents.None, Io.Poll(timer.Raw, PollEvents.In, 0));
        timer.Stop();
        timer.FireAt(0);
        Assert.Equal(PollEvents.In, Io.Poll(timer.Raw, PollEvents.In, 1000));
    }
}
