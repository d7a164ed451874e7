using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Memory;

namespace NicHost.Virtio.Net;

/// <summary>
/// One queue of the NIC: a ring in each direction and the endpoint's queue. Everything runs on the queue's loop; the control side sends
/// whole plans (<see cref="Apply"/>). Connected to the endpoint while at least one ring is enabled.
/// </summary>
internal sealed class QueuePair : IDeviceQueue
{
    // Work of one turn before others of the loop have theirs.
    private const int BatchesPerTurn = 4;

    private readonly INicBackend _backend;
    private readonly Action<string, bool> _onFault;
    private readonly int _index;
    private readonly RingSlot _rxSlot;
    private readonly RingSlot _txSlot;
    private readonly RxPath _rx;
    private readonly TxPath _tx;
    private readonly Action _runPosted;
    private readonly Action _failPosted;
    private PairPlan _plan = PairPlan.Idle;
    private IEndpointQueue? _endpoint;
    private OffloadSet _openedWith;
    private bool _running;
    private bool _posted;
    private bool _stalled;
    private bool _readyMeanwhile;
    private bool _failed;

    /// <param name="index">Index of the pair.</param>
    /// <param name="backend">The host's side.</param>
    /// <param name="maxFrame">Longest plain frame that the guest may send.</param>
    /// <param name="onFault">Told on the queue's loop why the rings were stopped, and whether the whole attachment must end.</param>
    public QueuePair(int index, INicBackend backend, int maxFrame, Action<string, bool> onFault)
    {
        _index = index;
        _backend = backend;
        _onFault = onFault;
        Loop = backend.Loop(index);
        var counters = backend.Counters(index);
        _rxSlot = new RingSlot(Loop, counters, RxKicked);
        _txSlot = new RingSlot(Loop, counters, RunTx);
        _rx = new RxPath(_rxSlot, counters);
        _tx = new TxPath(_txSlot, counters, maxFrame);
        _runPosted = () => { _posted = false; RunTx(); };
        _failPosted = Fail;
    }

    /// <summary>The loop that everything runs on.</summary>
    public IEventLoop Loop { get; }

    /// <summary>Makes the rings run as <paramref name="plan"/> says, stopping and starting what differs.</summary>
    public PairResult Apply(PairPlan plan)
    {
        var rxChanges = _rxSlot.Changes(plan.Rx, plan.Ram, plan.Accepted);
        var txChanges = _txSlot.Changes(plan.Tx, plan.Ram, plan.Accepted);
        if (rxChanges) StopRx();
        if (txChanges) _txSlot.Stop();
        if (_failed && (rxChanges || txChanges)) Recover();
        if (!WantsEndpoint(plan) || plan.Received != _openedWith) CloseEndpoint();
        _plan = plan;

        string? fault = null;
        if (rxChanges && plan.Rx is { } rx) fault = StartRx(rx, plan);
        if (txChanges && plan.Tx is { } tx) fault ??= StartTx(tx, plan);
        _rxSlot.SetCall(plan.RxCall);
        _txSlot.SetCall(plan.TxCall);
        // A ring that could not start is as good as stopped.
        if (!_rxSlot.Enabled && !_txSlot.Enabled) CloseEndpoint();
        OpenEndpoint();
        if (_rx.Wanted && _rxSlot.Enabled) ReceiveReady();
        if (_txSlot.Enabled) RunTx();
        return new PairResult(_rxSlot.Ring?.NextAvailable ?? _rxSlot.Next, _txSlot.Ring?.NextAvailable ?? _txSlot.Next, fault);
    }

    /// <summary>A kick that came as a message.</summary>
    public void Kick(bool isRx) => (isRx ? _rxSlot : _txSlot).Kick();

    public void Inspect(InspectWriter writer)
    {
        writer.Value("connected", _endpoint is not null);
        using (writer.Section("rx")) _rxSlot.Inspect(writer);
        using (writer.Section("tx")) _txSlot.Inspect(writer);
    }

    int IDeviceQueue.Reserve(int length, Span<Segment> segments, out RxTicket ticket)
    {
        var count = _rx.Reserve(length, segments, out ticket);
        if (count == 0 && _rx.Broken) PostFail();
        return count;
    }

    void IDeviceQueue.Commit(RxTicket ticket, int length, in FrameOffload offload) => _rx.Commit(ticket, length, offload);

    void IDeviceQueue.Release(RxTicket ticket) => _rx.Release(ticket);

    void IDeviceQueue.Flush()
    {
        _rx.Flush();
        if (_plan.Ram.IsPoisoned) PostFail();
    }

    void IDeviceQueue.TransmitReady()
    {
        // Called from within Transmit it cannot go on in place, and the stall is not known yet.
        if (_running) _readyMeanwhile = true;
        if (!_stalled) return;
        _stalled = false;
        RunTx();
    }

    private void RxKicked()
    {
        if (_rx.Kicked()) ReceiveReady();
        else if (_rx.Broken) PostFail();
    }

    private void ReceiveReady()
    {
        if (_endpoint is null) return;
        _rx.ClearWanted();
        _endpoint.ReceiveReady();
    }

    private void RunTx()
    {
        if (_running || _stalled || _failed) return;
        _running = true;
        _readyMeanwhile = false;
        var outcome = _tx.Run(_txSlot.Enabled ? _endpoint : null, BatchesPerTurn);
        _running = false;
        if (_plan.Ram.IsPoisoned) PostFail();
        else if (outcome == TxPath.Outcome.More) PostTx();
        else if (outcome == TxPath.Outcome.Broken) PostFail();
        else if (outcome == TxPath.Outcome.Stalled && _readyMeanwhile) PostTx();
        else if (outcome == TxPath.Outcome.Stalled) _stalled = true;
    }

    private void PostTx()
    {
        if (_posted) return;
        _posted = true;
        Loop.Post(_runPosted);
    }

    private void PostFail()
    {
        if (_failed) return;
        _failed = true;
        Loop.Post(_failPosted);
    }

    private void Fail()
    {
        if (!_failed) return;
        CloseEndpoint();
        _rxSlot.Deafen();
        _txSlot.Deafen();
        var lost = _plan.Ram.IsPoisoned;
        var reason = lost ? "the front-end took guest memory away while it was in use"
            : _txSlot.Ring?.Fault is { } tx ? $"tx ring {(_index * 2) + 1}: {tx}"
            : _rxSlot.Ring?.Fault is { } rx ? $"rx ring {_index * 2}: {rx}" : "unknown";
        _onFault(reason, lost);
    }

    /// <summary>A ring starts over: the other one, unless it is broken itself, goes on.</summary>
    private void Recover()
    {
        _failed = false;
        _rxSlot.Listen();
        _txSlot.Listen();
    }

    private static bool WantsEndpoint(PairPlan plan) => plan.Rx is { Enabled: true } || plan.Tx is { Enabled: true };

    private void OpenEndpoint()
    {
        if (_endpoint is not null || _failed || !(_rxSlot.Enabled || _txSlot.Enabled)) return;
        _openedWith = _plan.Received;
        _endpoint = _backend.OpenQueue(_index, this, _openedWith);
    }

    private void CloseEndpoint()
    {
        _endpoint?.Close();
        _endpoint = null;
        _stalled = false;
    }

    private string? StartRx(RingPlan ring, PairPlan plan)
    {
        var fault = _rxSlot.Start(ring, plan.Ram, plan.Accepted);
        if (fault is null) _rx.Started(plan.Accepted);
        return fault is not null && ring.Enabled ? $"rx ring {_index * 2}: {fault}" : null;
    }

    private string? StartTx(RingPlan ring, PairPlan plan)
    {
        var fault = _txSlot.Start(ring, plan.Ram, plan.Accepted);
        if (fault is null) _tx.Configure(plan.Accepted);
        return fault is not null && ring.Enabled ? $"tx ring {(_index * 2) + 1}: {fault}" : null;
    }

    private void StopRx()
    {
        _rx.Stopping();
        _rxSlot.Stop();
    }
}
