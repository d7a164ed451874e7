using NicHost.Consomme.Core;
using NicHost.Consomme.Dns;
using NicHost.Consomme.Forwards;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <summary>
/// The NAT's TCP: ends the guest's connections here and continues them on sockets. The kernel's socket buffers are the only buffers:
/// the guest's payload goes from its memory into <c>sendmsg</c> and is acknowledged when the socket took it; the host's data is peeked into
/// guest memory and discarded when the guest has acknowledged it. One loop, no locks, nothing that looks at all flows.
/// </summary>
internal sealed partial class TcpProtocol : IProtocol, ILoopWork
{
    // Records that are kept for new flows; more are left to the collector.
    private const int PoolCapacity = 4096;

    private readonly NatContext _context;
    private readonly IDnsTcpService _dns;
    private readonly IGuestPort _port;
    private readonly IEventLoop _loop;
    private readonly Dictionary<FlowKey, TcpFlow> _flows = [];
    private readonly Stack<TcpFlow> _pool = new();
    private readonly TimerWheel _wheel;
    private readonly SipHash _hash = new();
    private readonly long[] _closed = new long[Enum.GetValues<CloseReason>().Length];
    private List<TcpFlow> _touched = [];
    private List<TcpFlow> _running = [];
    private List<TcpFlow> _ready = [];
    private List<TcpFlow> _runningReady = [];
    private TcpFlow? _lastFlow;
    private bool _deferred;
    private bool _disposed;
    private int _halfOpen;
    private long _opened;
    private long _accepted;

    public TcpProtocol(NatContext context, IDnsTcpService dns)
    {
        _context = context;
        _dns = dns;
        _port = context.Port;
        _loop = context.Loop;
        _wheel = new TimerWheel(_loop);
        _acceptTimer = _loop.CreateTimer(ResumeListeners);
        Listeners = new ForwardSet<TcpListener>((forward, overlaps) => new TcpListener(this, _loop, forward, overlaps));
    }

    /// <summary>Flows of all states.</summary>
    public int FlowCount => _flows.Count;

    /// <summary>Flows whose handshake is not over.</summary>
    public int HalfOpen => _halfOpen;

    /// <summary>Flows that the guest opened so far.</summary>
    public long Opened => _opened;

    /// <summary>Flows that came through forwards so far.</summary>
    public long Accepted => _accepted;

    /// <summary>Payload that the guest sent and that was acknowledged. Counted once for each call of the kernel, as the other way.</summary>
    public long BytesFromGuest { get; private set; }

    /// <summary>Payload that was sent to the guest, without what was sent again.</summary>
    public long BytesToGuest { get; private set; }

    /// <summary>How often something was sent again.</summary>
    public long Retransmits { get; private set; }

    /// <summary>Flows that ended in a way so far.</summary>
    public long Closed(CloseReason reason) => _closed[(int)reason];

    public void FromGuest(ref GuestFrame frame)
    {
        if (!TcpSegment.TryParse(frame.Transport, frame.TransportLength, out var segment))
        {
            _port.Counters(frame.Queue).DropTx(DropReason.Malformed);
            return;
        }
        var key = new FlowKey(frame.Source, frame.Destination, segment.SourcePort, segment.DestinationPort);
        var flow = _lastFlow;
        if (flow is null || flow.Key != key)
        {
            if (!_flows.TryGetValue(key, out flow))
            {
                FromStranger(ref frame, key, segment);
                return;
            }
            _lastFlow = flow;
        }
        flow.Queue = frame.Queue;
        flow.LastHeard = _loop.NowMilliseconds;
        if (flow.State >= TcpState.Established) InputSynchronized(flow, ref frame, segment);
        else InputOpening(flow, ref frame, segment);
    }

    public void EndBatch()
    {
        FlushAllGathered();
        RunTouched();
    }

    /// <summary>Loop work: flows that used up their share of an earlier wake-up, or whose window an event changed.</summary>
    public void Run()
    {
        _deferred = false;
        if (_disposed) return;
        (_ready, _runningReady) = (_runningReady, _ready);
        foreach (var flow in _runningReady)
        {
            flow.IsReady = false;
            if (flow.State != TcpState.Free) Serve(flow);
        }
        _runningReady.Clear();
    }

    public void Dispose()
    {
        if (_disposed) return;
        Listeners.Dispose();
        _acceptTimer.Dispose();
        foreach (var flow in _flows.Values.ToArray()) End(flow, CloseReason.Shutdown, resetHost: true);
        _disposed = true;
        _wheel.Dispose();
    }

    /// <summary>Marks a flow for the end of this batch.</summary>
    private void Touch(TcpFlow flow)
    {
        if (flow.IsTouched) return;
        flow.IsTouched = true;
        _touched.Add(flow);
    }

    /// <summary>Lines a flow up for the end of this wake-up.</summary>
    private void MakeReady(TcpFlow flow)
    {
        if (flow.IsReady) return;
        flow.IsReady = true;
        _ready.Add(flow);
        if (_deferred) return;
        _deferred = true;
        _loop.Defer(this);
    }

    private void RunTouched()
    {
        if (_touched.Count == 0) return;
        (_touched, _running) = (_running, _touched);
        foreach (var flow in _running)
        {
            flow.IsTouched = false;
            if (flow.State != TcpState.Free) Serve(flow);
        }
        _running.Clear();
    }

    /// <summary>What a flow is owed after something happened: discard, data, and if none went out an acknowledgement.</summary>
    private void Serve(TcpFlow flow)
    {
        Discard(flow);
        if (flow.AckPending || flow.AckAt != 0) UpdateWindow(flow);
        if (flow.IsSynchronized) Output(flow);
        if (flow.AckPending && flow.State != TcpState.Free) SendAck(flow);
    }

    private TcpFlow Rent(in FlowKey key)
    {
        var flow = _pool.TryPop(out var pooled) ? pooled : new TcpFlow(this);
        flow.Reset(key);
        flow.PseudoSum = FrameLayout.PseudoSum(key);
        flow.LastHeard = _loop.NowMilliseconds;
        _flows.Add(key, flow);
        return flow;
    }

    /// <summary>Ends a flow without a word to the guest.</summary>
    private void End(TcpFlow flow, CloseReason reason, bool resetHost)
    {
        if (flow.State == TcpState.Free) return;
        DropGather(flow);
        LeaveHalfOpen(flow);
        if (flow.State == TcpState.TimeWait) UnlinkTimeWait(flow);
        _closed[(int)reason]++;
        CloseHost(flow, resetHost);
        _wheel.Remove(flow);
        _flows.Remove(flow.Key);
        if (ReferenceEquals(_lastFlow, flow)) _lastFlow = null;
        flow.State = TcpState.Free;
        if (_pool.Count < PoolCapacity) _pool.Push(flow);
    }

    /// <summary>Ends a flow with a reset to the guest, and one to the host where a socket is still open.</summary>
    private void Abort(TcpFlow flow, CloseReason reason)
    {
        SendReset(flow);
        End(flow, reason, resetHost: true);
    }

    private void CloseHost(TcpFlow flow, bool reset)
    {
        ReleaseSpill(flow);
        ReleaseFuture(flow);
        flow.Watch?.Dispose();
        flow.Watch = null;
        if (flow.Fd < 0) return;
        if (reset) Sockets.CloseWithReset(flow.Fd);
        else Io.Close(flow.Fd);
        flow.Fd = -1;
    }

    private void LeaveHalfOpen(TcpFlow flow)
    {
        if (!flow.IsHalfOpen) return;
        flow.IsHalfOpen = false;
        _halfOpen--;
        ResumeListeners();
    }

    private void EnterHalfOpen(TcpFlow flow)
    {
        flow.IsHalfOpen = true;
        _halfOpen++;
    }
}
