using NicHost.Dio.Windows;
using NicHost.Loops;
using NicHost.Testing;

namespace NicHost.Dio.Tests.Windows;

public sealed class FrameIoTests : IDisposable
{
    private readonly EventLoop _loop = new("frames");
    private readonly FakeVmNic _nic = new(new FakeVmSwitch(), default);

    [Fact]
    public async Task End_gives_up_waiting_for_a_kernel_that_holds_on_and_keeps_the_memory_until_it_lets_go()
    {
        var io = FrameIo.Start(_nic, new LoopWake(_loop, () => { }), TimeSpan.FromMilliseconds(20));
        _nic.HoldsOn = true;
        Assert.Equal(FrameReads.InFlight, await io.EndAsync());
        // The memory is there still.
        _nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(1514, 1)));
        _nic.LetGo();
    }

    [Fact]
    public async Task End_asked_for_twice_is_one()
    {
        var io = FrameIo.Start(_nic, new LoopWake(_loop, () => { }));
        var first = io.EndAsync();
        Assert.Same(first, io.EndAsync());
        Assert.Equal(0, await first);
    }

    [Fact]
    public void Wakes_that_come_before_the_work_ran_are_one()
    {
        var ran = 0;
        var wake = new LoopWake(_loop, () => ran++);
        for (var i = 0; i < 10; i++) wake.Wake();
        _loop.RunUntilIdle();
        Assert.Equal(1, ran);
        wake.Wake();
        _loop.RunUntilIdle();
        Assert.Equal(2, ran);
    }

    public void Dispose()
    {
        _loop.Dispose();
        _nic.Dispose();
    }
}
