using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Memory;

namespace NicHost.Consomme.Core;

/// <summary>
/// The NIC's receive side: chooses a queue that is open, copies small frames, finishes checksums for guests that do not, notifies
/// once per wake-up, and lines up those who wait for buffers. It outlives its queues: a guest that resets finds its flows again.
/// </summary>
internal sealed class GuestPort(IEventLoop loop) : IGuestPort, ILoopWork
{
    private const int MinPrune = 1024;

    private readonly PortQueue?[] _queues = new PortQueue?[ConsommeEndpoint.MaxQueues];
    private readonly Queue<IRoomWaiter> _homeless = new();
    private readonly QueueCounters _noCounters = new();
    private readonly Segment[] _segments = new Segment[FrameLimits.MaxRxSegments];
    private PortQueue? _first;
    private bool _deferred;
    private int _pruneAt = MinPrune;

    public bool IsOpen => _first is not null;

    public void Open(EndpointQueueConfig config)
    {
        if (_queues[config.Index] is not null) throw new InvalidOperationException($"Queue {config.Index} is open already.");
        _queues[config.Index] = new PortQueue(config);
        _first = Array.Find(_queues, q => q is not null);
        while (_homeless.TryDequeue(out var waiter)) _queues[config.Index]!.Waiters.Enqueue(waiter);
        // Not at once: the device is in the middle of opening the queue.
        if (_queues[config.Index]!.Waiters.Count > 0) loop.Post(() => ReceiveReady(config.Index));
    }

    public void Close(int index)
    {
        if (_queues[index] is not { } closed) return;
        _queues[index] = null;
        _first = Array.Find(_queues, q => q is not null);
        var heirs = _first?.Waiters ?? _homeless;
        while (closed.Waiters.TryDequeue(out var waiter)) heirs.Enqueue(waiter);
        if (_first is { Waiters.Count: > 0 } first) loop.Post(() => ReceiveReady(first.Index));
    }

    public OffloadSet Accepted(int queue) => Resolve(queue)?.Accepted ?? OffloadSet.None;

    public int MaxFrame(int queue) => Resolve(queue)?.MaxFrame ?? 0;

    public IDeviceQueue? Device(int queue) => Resolve(queue)?.Device;

    public QueueCounters Counters(int queue) => Resolve(queue)?.Counters ?? _noCounters;

    public bool Send(int queue, ReadOnlySpan<byte> frame) => Send(queue, frame, default, default);

    [SkipLocalsInit]
    public bool Send(int queue, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> payload, in FrameOffload offload)
    {
        if (Resolve(queue) is not { } target) return false;
        var length = headers.Length + payload.Length;
        if (length > target.MaxFrame)
        {
            target.Counters.DropRx(DropReason.TooLong);
            return false;
        }
        var count = target.Device.Reserve(length, _segments, out var ticket);
        if (count == 0)
        {
            target.Counters.DropRx(DropReason.NoBuffer);
            return false;
        }
        var segments = _segments.AsSpan(0, count);
        SegmentOps.CopyFrom(segments, 0, headers);
        SegmentOps.CopyFrom(segments, headers.Length, payload);
        var given = offload;
        if (offload.Checksum == ChecksumState.Partial && (target.Accepted & OffloadSet.Checksum) == 0)
        {
            CompleteChecksum(headers, payload, segments, offload);
            given = default;
        }
        target.Device.Commit(ticket, length, given);
        Touch(target);
        return true;
    }

    public void Touch(int queue)
    {
        if (Resolve(queue) is { } target) Touch(target);
    }

    public void WaitForRoom(int queue, IRoomWaiter waiter)
    {
        if (waiter.IsWaiting) return;
        waiter.IsWaiting = true;
        var target = Resolve(queue);
        if (target is not null) target.Counters.RxStalls++;
        var line = target?.Waiters ?? _homeless;
        if (line.Count >= _pruneAt) Prune(line);
        line.Enqueue(waiter);
    }

    /// <summary>Takes those out of a long line who have gone, so that flows that come and go cannot make it grow without end.</summary>
    private void Prune(Queue<IRoomWaiter> line)
    {
        for (var left = line.Count; left > 0; left--)
        {
            var waiter = line.Dequeue();
            if (waiter.IsWaiting) line.Enqueue(waiter);
        }
        _pruneAt = Math.Max(MinPrune, line.Count * 2);
    }

    public void ReceiveReady(int index)
    {
        if (_queues[index] is not { } queue) return;
        for (var left = queue.Waiters.Count; left > 0 && queue.Waiters.TryDequeue(out var waiter); left--)
        {
            waiter.IsWaiting = false;
            var before = queue.Waiters.Count;
            waiter.RoomAvailable();
            // Somebody is in this line again: the room is used up, and the others keep their places before it. A flow that has moved on to
            // another queue may wait there instead: then the room is still here, and nobody else would be told of it.
            if (queue.Waiters.Count > before) return;
        }
    }

    /// <summary>Loop work: the one notification of this wake-up.</summary>
    public void Run()
    {
        _deferred = false;
        foreach (var queue in _queues)
        {
            if (queue is not { Touched: true }) continue;
            queue.Touched = false;
            queue.Device.Flush();
        }
    }

    private static void CompleteChecksum(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> payload, ReadOnlySpan<Segment> segments, in FrameOffload offload)
    {
        // Summed from our own copy, not from guest memory.
        var sum = default(InternetSum);
        sum.Add(headers[offload.ChecksumStart..]);
        sum.Add(payload);
        Span<byte> field = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(field, NonZero(sum.Checksum, offload.ChecksumOffset));
        SegmentOps.CopyFrom(segments, offload.ChecksumStart + offload.ChecksumOffset, field);
    }

    /// <summary>UDP says "no checksum" with 0, and writes 0xffff for a sum of 0 (RFC 768).</summary>
    private static ushort NonZero(ushort checksum, int offset) => checksum == 0 && offset == 6 ? (ushort)0xffff : checksum;

    /// <summary>Completes a partial checksum of a frame that lies in guest buffers, for a guest that wants it complete.</summary>
    public static void CompleteChecksum(ReadOnlySpan<Segment> segments, int length, in FrameOffload offload)
    {
        var sum = default(InternetSum);
        sum.Add(segments, offload.ChecksumStart, length - offload.ChecksumStart);
        Span<byte> field = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(field, NonZero(sum.Checksum, offload.ChecksumOffset));
        SegmentOps.CopyFrom(segments, offload.ChecksumStart + offload.ChecksumOffset, field);
    }

    private void Touch(PortQueue queue)
    {
        queue.Touched = true;
        if (_deferred) return;
        _deferred = true;
        loop.Defer(this);
    }

    private PortQueue? Resolve(int queue) => (uint)queue < (uint)_queues.Length && _queues[queue] is { } open ? open : _first;

    private sealed class PortQueue(EndpointQueueConfig config)
    {
        public readonly int Index = config.Index;
        public readonly IDeviceQueue Device = config.Device;
        public readonly OffloadSet Accepted = config.AcceptedRx;
        public readonly int MaxFrame = config.MaxRxFrame;
        public readonly QueueCounters Counters = config.Counters;
        public readonly Queue<IRoomWaiter> Waiters = new();
        public bool Touched;
    }
}
