using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;

namespace NicHost.Virtio.Tests.Rig;

/// <summary>The host's side, with an endpoint that records what it gets and sends what a test asks for.</summary>
internal sealed class TestBackend(Func<int, IEventLoop> loop, int queues, OffloadSet offloads) : INicBackend
{
    private readonly QueueCounters[] _counters = [.. Enumerable.Range(0, queues).Select(_ => new QueueCounters())];

    public EndpointCapabilities Endpoint { get; } = new() { TxAccepts = offloads, RxGives = offloads, MaxQueues = queues };
    public int MaxQueues => queues;
    public LinkState Link { get; set; } = LinkState.Up10G;
    public List<string> Faults { get; } = [];
    public List<string?> Attachments { get; } = [];
    public TestQueue?[] Queues { get; } = new TestQueue?[queues];

    public IEventLoop Loop(int index) => loop(index);

    public QueueCounters Counters(int index) => _counters[index];

    public IEndpointQueue OpenQueue(int index, IDeviceQueue queue, OffloadSet acceptedRx)
    {
        Assert.True(Queues[index] is not { Closed: false }, "the queue is open already");
        return Queues[index] = new TestQueue(queue, acceptedRx);
    }

    public void ReportAttachment(string? peer) => Attachments.Add(peer);

    public void ReportGuestFault(string reason)
    {
        lock (Faults) Faults.Add(reason);
    }
}

/// <summary>An endpoint's queue under the test's hand.</summary>
internal sealed class TestQueue(IDeviceQueue device, OffloadSet accepted) : IEndpointQueue
{
    public IDeviceQueue Device { get; } = device;
    public OffloadSet Accepted { get; } = accepted;
    public List<(byte[] Bytes, FrameOffload Offload)> Frames { get; } = [];
    public List<int> Batches { get; } = [];
    public int Room { get; set; } = int.MaxValue;
    public int ReceiveReadies { get; private set; }
    public bool Closed { get; private set; }
    public Action? OnTransmit { get; set; }

    /// <summary>Takes all frames and keeps none.</summary>
    public bool Forgets { get; set; }

    public int Transmit(in TxBatch batch)
    {
        Assert.False(Closed);
        OnTransmit?.Invoke();
        if (Forgets) return batch.Frames.Length;
        var taken = Math.Min(Room, batch.Frames.Length);
        for (var i = 0; i < taken; i++)
        {
            ref readonly var frame = ref batch.Frames[i];
            var bytes = new byte[frame.Length];
            Assert.Equal(frame.Length, Contracts.Memory.SegmentOps.CopyTo(batch.SegmentsOf(frame), 0, bytes));
            Assert.Equal(frame.Length, Contracts.Memory.SegmentOps.TotalLength(batch.SegmentsOf(frame)));
            Frames.Add((bytes, frame.Offload));
        }
        Batches.Add(taken);
        if (Room != int.MaxValue) Room -= taken;
        return taken;
    }

    public void ReceiveReady()
    {
        Assert.False(Closed);
        ReceiveReadies++;
    }

    public void Close() => Closed = true;

    /// <summary>Reserves, fills, commits and flushes one frame; false when there is no buffer.</summary>
    public bool Deliver(byte[] frame, FrameOffload offload = default, int? reserve = null)
    {
        Span<Contracts.Memory.Segment> segments = new Contracts.Memory.Segment[FrameLimits.MaxRxSegments];
        var count = Device.Reserve(reserve ?? frame.Length, segments, out var ticket);
        if (count == 0) return false;
        Assert.True(Contracts.Memory.SegmentOps.TotalLength(segments[..count]) >= (reserve ?? frame.Length));
        Contracts.Memory.SegmentOps.CopyFrom(segments[..count], 0, frame);
        Device.Commit(ticket, frame.Length, offload);
        Device.Flush();
        return true;
    }
}
