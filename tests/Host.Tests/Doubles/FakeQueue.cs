using NicHost.Contracts.Devices;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicHost.Host.Tests.Doubles;

/// <summary>A guest without buffers.</summary>
internal sealed class FakeQueue : IDeviceQueue
{
    public int Reserve(int length, Span<Segment> segments, out RxTicket ticket)
    {
        ticket = default;
        return 0;
    }

    public void Commit(RxTicket ticket, int length, in FrameOffload offload) { }

    public void Release(RxTicket ticket) { }

    public void Flush() { }

    public void TransmitReady() { }
}
