using NicHost.Host.Machines;

namespace NicHost.Host.Tests.Machines;

public sealed class VmScopeTests
{
    [Fact]
    public async Task Object_lives_until_its_last_lease_ends()
    {
        await using var scope = new VmScope();
        var made = new List<Bus>();
        Bus Make() { made.Add(new Bus()); return made[^1]; }
        var one = scope.Share("bus", Make);
        var two = scope.Share("bus", Make);
        Assert.Same(one.Value, two.Value);
        await one.DisposeAsync();
        await one.DisposeAsync();
        Assert.False(made[0].IsDisposed);
        await two.DisposeAsync();
        Assert.True(made[0].IsDisposed);
        Assert.NotSame(made[0], scope.Share("bus", Make).Value);
    }

    [Fact]
    public async Task Scope_that_ends_disposes_what_is_left()
    {
        var scope = new VmScope();
        var lease = scope.Share("bus", () => new Bus());
        await scope.DisposeAsync();
        Assert.True(lease.Value.IsDisposed);
        await lease.DisposeAsync();
        Assert.Equal(1, lease.Value.Disposals);
    }

    private sealed class Bus : IAsyncDisposable
    {
        public int Disposals { get; private set; }

        public bool IsDisposed => Disposals > 0;

        public ValueTask DisposeAsync()
        {
            Disposals++;
            return ValueTask.CompletedTask;
        }
    }
}
