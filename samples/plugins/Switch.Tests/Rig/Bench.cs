using Microsoft.Extensions.Time.Testing;
using NicHost.Contracts.Frames;
using NicHost.Loops;

namespace Samples.Switch.Tests.Rig;

/// <summary>A switch with NICs on one loop, which the test turns by hand on a clock of its own.</summary>
internal sealed class Bench : IDisposable
{
    private static int s_switches;

    private readonly List<Nic> _nics = [];

    public Bench() => Loop = new EventLoop("bench", Time);

    public FakeTimeProvider Time { get; } = new();

    public EventLoop Loop { get; }

    /// <summary>A name that no other test's switch has.</summary>
    public string Switch { get; } = $"bench-{Interlocked.Increment(ref s_switches)}";

    /// <summary>Plugs a NIC in, with its guest's queue open. The number is also its address.</summary>
    public Nic Plug(byte number, string options = "", OffloadSet accepted = OffloadSet.None, int buffers = 256)
    {
        Loop.RunOnce();
        var nic = new Nic(Loop, Switch, number, options, accepted, buffers);
        nic.Start();
        nic.Open();
        _nics.Add(nic);
        return nic;
    }

    public void Pass(TimeSpan time)
    {
        Time.Advance(time);
        Loop.RunUntilIdle();
    }

    public void Dispose()
    {
        foreach (var nic in _nics) nic.Dispose();
        Loop.Dispose();
    }
}
