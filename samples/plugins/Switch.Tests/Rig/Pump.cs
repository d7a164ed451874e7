using NicHost.Contracts.Devices;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace Samples.Switch.Tests.Rig;

/// <summary>
/// A guest that sends as a device does: when a frame is not taken it waits until it is told to try again, and does not ask meanwhile. All of
/// it on its loop. What it receives goes to the NIC's fake device.
/// </summary>
internal sealed class Pump(Nic nic, int frames, Func<Nic, int> send) : IDeviceQueue
{
    // Others of the loop have their turn in between.
    private const int FramesPerTurn = 64;

    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = frames;

    public Nic Nic => nic;

    /// <summary>Completes when all frames were taken.</summary>
    public Task Done => _done.Task;

    /// <summary>How often it had to wait.</summary>
    public int Waits { get; private set; }

    /// <summary>Begins, or goes on. On the loop.</summary>
    public void Run()
    {
        for (var turn = 0; turn < FramesPerTurn && _left > 0; turn++)
        {
            if (send(nic) == 0)
            {
                Waits++;
                return;
            }
            _left--;
        }
        if (_left > 0) nic.Loop.Post(Run);
        else _done.TrySetResult();
    }

    public void TransmitReady() => Run();

    public int Reserve(int length, Span<Segment> segments, out RxTicket ticket) => nic.Device.Reserve(length, segments, out ticket);

    public void Commit(RxTicket ticket, int length, in FrameOffload offload) => nic.Device.Commit(ticket, length, offload);

    public void Release(RxTicket ticket) => nic.Device.Release(ticket);

    public void Flush() => nic.Device.Flush();
}
