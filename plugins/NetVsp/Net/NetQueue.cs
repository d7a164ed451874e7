using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Memory;
using NicHost.Linux;
using NicHost.NetVsp.Nvsp;
using NicHost.NetVsp.Rings;
using NicHost.NetVsp.Vmbus;

namespace NicHost.NetVsp.Net;

/// <summary>
/// One channel of the NIC: its two rings and the endpoint's queue. Everything runs on the queue's loop; the control side sends whole settings.
/// Connected to the endpoint while the channel is open and RNDIS is up.
/// </summary>
internal sealed partial class NetQueue : IDeviceQueue, IFdHandler
{
    private static readonly int s_completion = OutgoingRing.Needed(0, NvspFormat.MessageSize);

    private readonly INicBackend _backend;
    private readonly IQueueOwner _owner;
    private readonly QueueCounters _counters;
    private readonly RxPath _rx;
    private readonly TxPath _tx;
    private readonly Action _runPosted;
    private IBusChannel? _channel;
    private IncomingRing? _in;
    private OutgoingRing? _out;
    private IFdWatch? _watch;
    private IEndpointQueue? _endpoint;
    private OffloadSet _openedWith;
    private BufferSet _buffers = BufferSet.None;
    private GuestSettings _settings = GuestSettings.Down;
    private bool _running;
    private bool _posted;
    private bool _stalled;
    private bool _readyMeanwhile;
    private bool _steered;

    public NetQueue(int index, INicBackend backend, IQueueOwner owner, int maxFrame)
    {
        Index = index;
        _backend = backend;
        _owner = owner;
        Loop = backend.Loop(index);
        _counters = backend.Counters(index);
        _rx = new RxPath(_counters, Sibling, () => Owed);
        _tx = new TxPath(_counters, maxFrame);
        _runPosted = () =>
        {
            _posted = false;
            Run();
        };
    }

    /// <summary>0 is the primary channel's.</summary>
    public int Index { get; }

    /// <summary>The loop that everything runs on.</summary>
    public IEventLoop Loop { get; }

    /// <summary>Whether its channel is open. On the queue's loop.</summary>
    public bool IsOpen => _in is not null;

    /// <summary>Why the channel stopped, until it is closed.</summary>
    public string? Fault { get; private set; }

    /// <summary>Starts on an open channel.</summary>
    /// <returns>False when the rings cannot be used; the reason was told.</returns>
    public bool Start(IBusChannel channel, GuestSettings settings)
    {
        Fault = null;
        _channel = channel;
        _in = new IncomingRing(channel.Incoming);
        _out = new OutgoingRing(channel.Outgoing);
        _tx.Clear();
        _rx.Start(_out);
        var fault = _in.Fault ?? _out.Fault ?? Listen(channel.Kick);
        if (fault is not null)
        {
            Stop();
            _owner.QueueFailed(Index, fault);
            return false;
        }
        _in.Mask();
        Configure(settings);
        Post();
        return true;
    }

    /// <summary>Stops: nothing of channel or buffers is touched any more.</summary>
    public void Stop()
    {
        CloseEndpoint();
        _watch?.Dispose();
        _watch = null;
        _rx.Stop();
        _tx.Clear();
        _answers.Clear();
        _buffers = BufferSet.None;
        _settings = GuestSettings.Down;
        _channel = null;
        _in = null;
        _out = null;
    }

    /// <summary>Takes other buffers, or none.</summary>
    /// <param name="buffers">The buffers.</param>
    /// <param name="first">The first section of the receive buffer that is this queue's.</param>
    /// <param name="count">How many there are.</param>
    public void SetBuffers(BufferSet buffers, int first, int count)
    {
        if (!IsOpen) return;
        var newReceive = !ReferenceEquals(buffers.Receive, _buffers.Receive);
        if (!ReferenceEquals(buffers.Send, _buffers.Send)) _tx.DropWaiting();
        _buffers = buffers;
        if (newReceive) _rx.SetBuffer(buffers, first, count);
        Reconnect();
        Post();
    }

    /// <summary>Takes what the guest has set.</summary>
    public void Configure(GuestSettings settings)
    {
        if (!IsOpen || Fault is not null) return;
        _settings = settings;
        Reconnect();
        _rx.Configure(settings, _openedWith);
        _tx.Configure(settings, _backend.Endpoint.TxAccepts);
        if (_rx.Wanted) Post();
    }

    /// <summary>Guest memory has changed: frames that wait may lie in what is gone.</summary>
    public void MemoryChanged()
    {
        _tx.DropWaiting();
        _stalled = false;
        Post();
    }

    /// <summary>A signal that came as a message.</summary>
    public void Signal()
    {
        if (!IsOpen) return;
        _counters.Kicks++;
        Run();
    }

    public void OnEvents(FdEvents events) => Signal();

    int IDeviceQueue.Reserve(int length, Span<Segment> segments, out RxTicket ticket) => _rx.Reserve(length, segments, out ticket);

    void IDeviceQueue.Commit(RxTicket ticket, int length, in FrameOffload offload)
    {
        var path = _rx.Commit(ticket, length, offload);
        if (path != _rx) _steered = true;
    }

    void IDeviceQueue.Release(RxTicket ticket) => _rx.Release(ticket);

    void IDeviceQueue.Flush()
    {
        if (_steered) FlushSiblings();
        FlushOwn();
        if (!_running && _channel is { Ram.IsPoisoned: true } channel) channel.MemoryLost();
    }

    void IDeviceQueue.TransmitReady()
    {
        // Called from within Transmit it cannot go on in place, and the stall is not known yet.
        if (_running) _readyMeanwhile = true;
        if (!_stalled) return;
        _stalled = false;
        Run();
    }

    private void FlushOwn()
    {
        _rx.WriteBatch();
        // Within a run the ring is shown once, at its end.
        if (!_running) ShowOutgoing();
    }

    private void FlushSiblings()
    {
        _steered = false;
        foreach (var queue in _owner.Queues)
        {
            if (queue != this && queue.Loop == Loop && queue.IsOpen) queue.FlushOwn();
        }
    }

    private RxPath? Sibling(int index)
    {
        if (index == Index || index >= _owner.Queues.Count) return null;
        var queue = _owner.Queues[index];
        return queue.Loop == Loop && queue.IsOpen && queue.Fault is null ? queue._rx : null;
    }

    private int Owed => ((_tx.Packets + 1) * s_completion) + (_answers.Count * s_control);

    private string? Listen(Fd? kick)
    {
        if (kick is null) return null;
        try
        {
            // Edge-triggered: an eventfd needs no read, each signal is a new edge. Whoever opens a channel looks into it anyway.
            EventFd.Drain(kick.Raw);
            _watch = Loop.Watch(kick.Raw, FdEvents.Readable | FdEvents.EdgeTriggered, this);
            return null;
        }
        catch (InvalidOperationException e)
        {
            return $"the eventfd is of no use: {e.Message}";
        }
    }

    /// <summary>Opens or closes the endpoint's queue, or opens it with other abilities.</summary>
    private void Reconnect()
    {
        var wanted = IsOpen && Fault is null && _settings.IsUp && _buffers.Receive is not null;
        var accepted = _settings.RxOffloads;
        if (!RxPath.CanMerge(Math.Max(_buffers.SectionSize, RxPath.Headroom + 1), _rx.Owned)) accepted &= ~OffloadSet.AllGso;
        if (_endpoint is not null && (!wanted || accepted != _openedWith)) CloseEndpoint();
        if (!wanted || _endpoint is not null) return;
        _openedWith = accepted;
        _rx.Configure(_settings, accepted);
        _endpoint = _backend.OpenQueue(Index, this, accepted);
    }

    private void CloseEndpoint()
    {
        _endpoint?.Close();
        _endpoint = null;
        _stalled = false;
        _rx.ClearWanted();
    }

    private void Post()
    {
        if (_posted) return;
        _posted = true;
        Loop.Post(_runPosted);
    }

    private void Fail(string reason)
    {
        if (Fault is not null) return;
        Fault = reason;
        CloseEndpoint();
        _watch?.Dispose();
        _watch = null;
        _owner.QueueFailed(Index, reason);
    }
}

/// <summary>What a queue needs of its NIC.</summary>
internal interface IQueueOwner
{
    /// <summary>All queues.</summary>
    IReadOnlyList<NetQueue> Queues { get; }

    /// <summary>A control packet on the primary channel. On its loop.</summary>
    /// <returns>Why the channel cannot go on, or null.</returns>
    string? Control(in ControlPacket packet);

    /// <summary>A queue stopped for the guest's mistake. On the queue's loop.</summary>
    void QueueFailed(int index, string reason);
}

/// <summary>A packet of the primary channel that is no frame.</summary>
internal readonly ref struct ControlPacket(NvspType type, ReadOnlySpan<byte> message, ReadOnlySpan<byte> rndis, bool wantsCompletion, ulong transaction)
{
    public NvspType Type { get; } = type;

    /// <summary>The NVSP message, zeros behind its end: 40 bytes.</summary>
    public ReadOnlySpan<byte> Message { get; } = message;

    /// <summary>The RNDIS message that came with it.</summary>
    public ReadOnlySpan<byte> Rndis { get; } = rndis;

    public bool WantsCompletion { get; } = wantsCompletion;

    public ulong Transaction { get; } = transaction;
}
