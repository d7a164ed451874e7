using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NicHost.Contracts.Loops;
using NicHost.Host.Control;
using NicHost.Host.Machines;
using NicHost.Host.Tests.Doubles;

namespace NicHost.Host.Tests.Control;

public sealed class LoopWatchTests : IDisposable
{
    private readonly LoopPool _loops = new(2, TimeProvider.System, NullLoggerFactory.Instance);

    public void Dispose() => _loops.Dispose();

    [Fact]
    public async Task Loop_that_hangs_is_named_once_and_once_more_when_it_turns()
    {
        var log = new LogList();
        var beats = new LoopBeats(_loops, TimeSpan.FromSeconds(15), log.CreateLogger("NicHost.Loops"));
        var (hanging, other) = (_loops.Loops.First().Loop, _loops.Loops.Last().Loop);
        beats.Start();
        await TurnAsync(hanging, other);
        Assert.True(beats.Look());

        var release = new ManualResetEventSlim();
        try
        {
            hanging.Post(release.Wait);
            for (var i = 0; i < 3; i++)
            {
                beats.Start();
                await TurnAsync(other);
                Assert.False(beats.Look());
            }
            Assert.Equal([$"NicHost.Loops[101] {hanging.Name} has not turned for 15 s: something on it does not return, and its NICs stand still."], log.Entries);
        }
        finally { release.Set(); }

        await TurnAsync(hanging, other);
        Assert.True(beats.Look());
        Assert.Equal([$"NicHost.Loops[102] {hanging.Name} turns again."], log.Entries.Skip(1));
    }

    [Fact]
    public async Task Signs_of_life_come_with_each_period()
    {
        var time = new FakeTimeProvider();
        var alive = 0;
        await using var watch = new LoopWatch(_loops, TimeSpan.FromSeconds(15), () => Interlocked.Increment(ref alive), time, NullLoggerFactory.Instance);
        time.Advance(TimeSpan.FromSeconds(14));
        await TurnAsync([.. _loops.Loops.Select(l => l.Loop)]);
        Assert.Equal(0, Volatile.Read(ref alive));
        await Eventually.True(() =>
        {
            if (Volatile.Read(ref alive) >= 3) return true;
            time.Advance(TimeSpan.FromSeconds(5));
            return false;
        }, "three signs of life");
    }

    [Theory]
    [InlineData(null, null, 10)]
    [InlineData("", "", 10)]
    [InlineData("nonsense", null, 10)]
    [InlineData("0", null, 10)]
    [InlineData("30000000", null, 15)]
    [InlineData("30000000", "", 15)]
    [InlineData("30000000", "1", 10)]
    public void Period_is_half_of_what_is_granted_to_this_process(string? microseconds, string? process, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), LoopWatch.PeriodOf(microseconds, process));

    [Fact]
    public void Period_granted_to_this_process_by_number_counts() =>
        Assert.Equal(TimeSpan.FromSeconds(1), LoopWatch.PeriodOf("2000000", $"{Environment.ProcessId}"));

    // What was posted before has run when this has.
    private static Task TurnAsync(params NicHost.Loops.EventLoop[] loops) => Task.WhenAll(loops.Select(loop => loop.InvokeAsync(() => { })));
}
