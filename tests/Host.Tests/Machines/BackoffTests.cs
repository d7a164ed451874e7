using Microsoft.Extensions.Time.Testing;
using NicHost.Host.Machines;
using NicHost.Host.Topology;

namespace NicHost.Host.Tests.Machines;

public sealed class BackoffTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Delay_doubles_to_its_limit_and_a_long_life_starts_over()
    {
        var backoff = new Backoff(_time);
        Assert.Equal([1, 2, 4, 8, 16, 30, 30], Enumerable.Range(0, 7).Select(_ => Seconds(backoff, RestartPolicy.Default, lived: 1)));
        Assert.Equal([1, 2], [Seconds(backoff, RestartPolicy.Default, lived: 61), Seconds(backoff, RestartPolicy.Default, lived: 1)]);
        backoff.Reset();
        Assert.Equal(1, Seconds(backoff, RestartPolicy.Default, lived: 0));
    }

    [Fact]
    public void Limit_counts_the_restarts_of_its_window_only()
    {
        var policy = RestartPolicy.Default with { Limit = 2, Window = TimeSpan.FromSeconds(100) };
        var backoff = new Backoff(_time);
        Assert.Equal(1, Seconds(backoff, policy, 0));
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(2, Seconds(backoff, policy, 0));
        Assert.Null(backoff.Next(policy, default));
        // The first of the two is out of the window now.
        _time.Advance(TimeSpan.FromSeconds(41));
        Assert.Equal(4, Seconds(backoff, policy, 0));
        Assert.Null(backoff.Next(policy, default));
        backoff.Reset();
        Assert.NotNull(backoff.Next(policy, default));
    }

    private static double? Seconds(Backoff backoff, RestartPolicy policy, double lived) => backoff.Next(policy, TimeSpan.FromSeconds(lived))?.TotalSeconds;
}
