using NicHost.Virtio.Net;

namespace NicHost.Virtio.VhostUser;

/// <content>From what the front-end said to what the queues do: plans, and what is waited for while queues on other loops follow them.</content>
internal sealed partial class Session
{
    private readonly PairPlan[] _applied;
    private readonly Action[] _callMessages;
    private (RingPlan? Ring, RingCall Call, Virtqueue.GuestRam Ram, NetFeatures Accepted) _controlApplied;
    private int _pending;
    private string? _pendingFault;
    private Action<string?>? _whenApplied;
    private bool _tearingDown;

    private bool IsBusy => _pending > 0;

    /// <summary>Index of the control queue: after the last pair when several were negotiated, else after the first (virtio 1.2, 5.1.2).</summary>
    private int ControlIndex => _accepted.HasFlag(NetFeatures.Mq) ? _host.Pairs.Count * 2 : 2;

    /// <summary>Brings all queues to what was said so far, then calls <paramref name="then"/> with what went wrong, or null.</summary>
    private void Reconcile(Action<string?> then)
    {
        _whenApplied = then;
        _pendingFault = null;
        // One for this method itself, so that answers that come at once do not end the wait early.
        _pending = 1;
        for (var i = 0; i < _applied.Length; i++)
        {
            var plan = PlanFor(i);
            if (plan == _applied[i]) continue;
            _applied[i] = plan;
            _pending++;
            Send(i, plan);
        }
        ApplyControl();
        Applied();
    }

    private PairPlan PlanFor(int pair)
    {
        if (_ended) return PairPlan.Idle;
        var isControl = pair > 0 && HasControl && ControlIndex == pair * 2;
        return new PairPlan
        {
            Accepted = _accepted,
            Received = NetFeatureMap.Received(_accepted),
            Ram = _memory.Ram,
            Rx = isControl ? null : _vrings[pair * 2].Plan(_accepted),
            Tx = isControl ? null : _vrings[(pair * 2) + 1].Plan(_accepted),
            RxCall = CallOf(_vrings[pair * 2]),
            TxCall = CallOf(_vrings[(pair * 2) + 1]),
        };
    }

    private bool HasControl => _accepted.HasFlag(NetFeatures.CtrlVq);

    private RingCall CallOf(Vring vring)
    {
        if (vring.Call is not null) return new RingCall(vring.Call, null);
        return _protocol.HasFlag(ProtocolFeatures.InbandNotifications) ? new RingCall(null, _callMessages[vring.Index]) : default;
    }

    private void Send(int index, PairPlan plan)
    {
        var pair = _host.Pairs[index];
        if (pair.Loop.IsCurrent)
        {
            Applied(index, pair.Apply(plan));
            return;
        }
        pair.Loop.Post(() =>
        {
            // Whatever happens there, this side must not wait for ever.
            var result = new PairResult(0, 0, "the queue's loop failed");
            try { result = pair.Apply(plan); }
            finally { _host.Loop.Post(() => Applied(index, result)); }
        });
    }

    private void Applied(int index, PairResult result)
    {
        if (!_ended)
        {
            if (_applied[index].Rx is not null || _vrings[index * 2].Position is not null) _vrings[index * 2].Position = result.RxBase;
            if (_applied[index].Tx is not null || _vrings[(index * 2) + 1].Position is not null) _vrings[(index * 2) + 1].Position = result.TxBase;
        }
        _pendingFault ??= result.Fault;
        Applied();
    }

    private void ApplyControl()
    {
        var vring = _vrings[Math.Min(ControlIndex, _vrings.Length - 1)];
        var ring = _ended || !HasControl ? null : vring.Plan(_accepted);
        var wanted = (ring, HasControl && !_ended ? CallOf(vring) : default, _ended ? Virtqueue.GuestRam.Empty : _memory.Ram, _accepted);
        if (wanted == _controlApplied) return;
        _controlApplied = wanted;
        var result = _host.Control.Apply(wanted.ring, wanted.Item2, wanted.Item3, _accepted);
        if (ring is not null || (HasControl && vring.Position is not null)) vring.Position = result.RxBase;
        _pendingFault ??= result.Fault;
    }

    private void Applied()
    {
        if (--_pending > 0) return;
        DisposeDropped();
        var then = _whenApplied;
        _whenApplied = null;
        // Ended while the queues were on their way: they go on to the end; whoever asked is gone.
        if (_ended && !_tearingDown)
        {
            TearDown();
            return;
        }
        then?.Invoke(_pendingFault);
        Rewatch();
        if (!_ended) _host.Reconciled();
    }

    private void DisposeDropped()
    {
        foreach (var one in _dropped) one.Dispose();
        _dropped.Clear();
    }

    private void CallByMessage(int ring)
    {
        if (_host.Loop.IsCurrent) _channel?.Call(ring);
        else _host.Loop.Post(() => _channel?.Call(ring));
    }
}
