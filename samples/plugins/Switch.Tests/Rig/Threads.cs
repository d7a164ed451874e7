using NicHost.Contracts.Devices;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Loops;

namespace Samples.Switch.Tests.Rig;

/// <summary>A switch with NICs on several loops, each with a thread of its own.</summary>
internal sealed class Threads : IDisposable
{
    private readonly string _switch = $"threads-{Guid.NewGuid():N}";
    private readonly List<Nic> _nics = [];
    private readonly EventLoop[] _loops;

    public Threads(int loops)
    {
        _loops = [.. Enumerable.Range(0, loops).Select(i => new EventLoop($"loop-{i}"))];
        foreach (var loop in _loops) loop.Start();
    }

    /// <summary>Plugs a NIC in on a loop, with its guest's queue open. The number is also its address.</summary>
    public Nic Plug(int loop, byte number, string options = "", OffloadSet accepted = OffloadSet.None, int buffers = 256) =>
        Plug(loop, number, options, accepted, buffers, nic => nic.Device);

    /// <summary>The same with a guest that sends so many frames; it begins with <see cref="PumpAllAsync"/>.</summary>
    public Pump PlugPump(int loop, byte number, int frames, Func<Nic, int> send, OffloadSet accepted = OffloadSet.None)
    {
        Pump? pump = null;
        Plug(loop, number, "", accepted, 256, nic => pump = new Pump(nic, frames, send));
        return pump!;
    }

    /// <summary>Has them all send at once, until the last frame is taken.</summary>
    public static async Task PumpAllAsync(params Pump[] pumps)
    {
        foreach (var pump in pumps) pump.Nic.Loop.Post(pump.Run);
        await Task.WhenAll(pumps.Select(pump => pump.Done)).WaitAsync(TimeSpan.FromSeconds(120));
    }

    /// <summary>Runs work on a loop and waits for it; what was posted there before is done then.</summary>
    public void On(int loop, Action work) => Assert.True(_loops[loop].InvokeAsync(work).Wait(TimeSpan.FromSeconds(60)), "The loop hangs.");

    public T On<T>(int loop, Func<T> work)
    {
        T? result = default;
        On(loop, () => { result = work(); });
        return result!;
    }

    /// <summary>Waits until something holds on a loop.</summary>
    public void Until(int loop, Func<bool> holds) =>
        Assert.True(SpinWait.SpinUntil(() => On(loop, holds), TimeSpan.FromSeconds(60)), "It never held.");

    public void Dispose()
    {
        foreach (var nic in _nics) nic.Dispose();
        foreach (var loop in _loops) loop.Dispose();
    }

    private Nic Plug(int loop, byte number, string options, OffloadSet accepted, int buffers, Func<Nic, IDeviceQueue> device)
    {
        var nic = new Nic(_loops[loop], _switch, number, options, accepted, buffers);
        On(loop, () =>
        {
            nic.Start();
            nic.Open(device(nic));
        });
        _nics.Add(nic);
        return nic;
    }
}
