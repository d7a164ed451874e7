using NicHost.Consomme.Core;
using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Consomme.Udp;

/// <summary>All UDP flows of a NIC: found by either side, ended when idle, and the one idle longest gives way at the limit.</summary>
internal sealed class UdpFlowTable : IDisposable
{
    /// <summary>A question and its answer: up to here a flow has the short idle time.</summary>
    private const int ShortFlowPackets = 2;

    private readonly Dictionary<UdpEnd, UdpFlow> _byGuest = [];
    private readonly Dictionary<FlowKey, UdpFlow> _peers = [];
    private readonly Dictionary<(UdpSocket, SockAddr), UdpFlow> _peersByReal = [];
    private readonly UdpIdleList _short = new();
    private readonly UdpIdleList _long = new();
    private readonly NatContext _context;
    private readonly IEventLoop _loop;
    private readonly ILoopTimer _timer;
    private UdpFlow? _last;

    public UdpFlowTable(NatContext context)
    {
        _context = context;
        _loop = context.Loop;
        _timer = _loop.CreateTimer(Expire);
    }

    public int Count => _byGuest.Count + _peers.Count;

    public int PeerCount => _peers.Count;

    public long Created { get; private set; }

    public long Expired { get; private set; }

    public long Evicted { get; private set; }

    public IEnumerable<UdpFlow> Flows => _byGuest.Values.Concat(_peers.Values);

    public UdpFlow? Find(UdpEnd guest)
    {
        if (_last is { } last && last.Guest == guest) return last;
        if (!_byGuest.TryGetValue(guest, out var flow)) return null;
        return _last = flow;
    }

    public UdpFlow? FindPeer(in FlowKey key) => _peers.Count > 0 && _peers.TryGetValue(key, out var flow) ? flow : null;

    public UdpFlow? FindPeer(UdpSocket socket, in SockAddr real) => _peersByReal.GetValueOrDefault((socket, real));

    /// <summary>
    /// Whether one more flow may be added. At the limit the one idle longest gives way; above it, where only a lowered limit leads, none does
    /// and nothing new begins.
    /// </summary>
    public bool MakeRoom()
    {
        var limit = _context.Model.Limits.UdpFlows;
        return Count < limit || (Count == limit && EvictOldest());
    }

    public void Add(UdpFlow flow)
    {
        if (!flow.IsPeer)
        {
            _byGuest.Add(flow.Guest, flow);
        }
        else
        {
            if (_peers.TryGetValue(flow.Key, out var old)) Remove(old);
            _peers.Add(flow.Key, flow);
            _peersByReal.Add((flow.Socket, flow.Real), flow);
        }
        Created++;
        flow.LastUsed = _loop.NowMilliseconds;
        _short.Append(flow);
        if (!_timer.IsSet) _timer.Set(ShortIdle);
    }

    public void Touch(UdpFlow flow)
    {
        flow.LastUsed = _loop.NowMilliseconds;
        if (flow.List == _short && flow.Sent + flow.Received > ShortFlowPackets)
        {
            _short.Remove(flow);
            _long.Append(flow);
        }
        else
        {
            flow.List?.MoveToEnd(flow);
        }
    }

    public void Remove(UdpFlow flow)
    {
        if (flow.List is null) return;
        flow.List.Remove(flow);
        if (_last == flow) _last = null;
        if (flow.IsPeer)
        {
            _peers.Remove(flow.Key);
            _peersByReal.Remove((flow.Socket, flow.Real));
        }
        else
        {
            _byGuest.Remove(flow.Guest);
            flow.Socket.Dispose();
        }
    }

    /// <summary>Makes room when the limit, or the host's on descriptors, is reached.</summary>
    /// <returns>False when there is nothing to give way.</returns>
    public bool EvictOldest()
    {
        var oldest = (_short.Head, _long.Head) switch
        {
            (null, var second) => second,
            (var first, null) => first,
            var (first, second) => first.LastUsed <= second.LastUsed ? first : second,
        };
        if (oldest is null) return false;
        Evicted++;
        Remove(oldest);
        return true;
    }

    /// <summary>Applies other idle times, and forgets the clients of forwards that are gone.</summary>
    public void Reconfigured()
    {
        foreach (var flow in _peers.Values.Where(f => !f.Socket.IsOpen).ToArray()) Remove(flow);
        Expire();
    }

    public void Dispose()
    {
        _timer.Dispose();
        foreach (var flow in _byGuest.Values) flow.Socket.Dispose();
        _byGuest.Clear();
        _peers.Clear();
        _peersByReal.Clear();
    }

    private long LongIdle => _context.Model.Limits.UdpIdleSeconds * 1000L;

    private long ShortIdle => LongIdle / 4;

    private void Expire()
    {
        var next = Math.Min(Expire(_short, ShortIdle), Expire(_long, LongIdle));
        if (next != long.MaxValue) _timer.Set(Math.Max(1, next - _loop.NowMilliseconds));
    }

    /// <returns>When the next one is due.</returns>
    private long Expire(UdpIdleList list, long idle)
    {
        var now = _loop.NowMilliseconds;
        while (list.Head is { } head)
        {
            var due = head.LastUsed + idle;
            if (due > now) return due;
            Expired++;
            Remove(head);
        }
        return long.MaxValue;
    }
}
