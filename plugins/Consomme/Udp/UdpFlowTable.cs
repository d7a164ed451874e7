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
    private readonly UdpIdleList _short;
    private readonly UdpIdleList _long;
    private readonly IEventLoop _loop;
    private readonly ILoopTimer _timer;
    private readonly int _limit;
    private UdpFlow? _last;

    public UdpFlowTable(IEventLoop loop, int limit, int idleSeconds)
    {
        _loop = loop;
        _limit = limit;
        _short = new UdpIdleList(idleSeconds * 1000L / 4);
        _long = new UdpIdleList(idleSeconds * 1000L);
        _timer = loop.CreateTimer(Expire);
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

    public void Add(UdpFlow flow)
    {
        while (Count >= _limit) EvictOldest();
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
        if (!_timer.IsSet) _timer.Set(_short.IdleMilliseconds);
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

    public void Dispose()
    {
        _timer.Dispose();
        foreach (var flow in _byGuest.Values) flow.Socket.Dispose();
        _byGuest.Clear();
        _peers.Clear();
        _peersByReal.Clear();
    }

    private void Expire()
    {
        var next = Math.Min(Expire(_short), Expire(_long));
        if (next != long.MaxValue) _timer.Set(Math.Max(1, next - _loop.NowMilliseconds));
    }

    /// <returns>When the next one is due.</returns>
    private long Expire(UdpIdleList list)
    {
        var now = _loop.NowMilliseconds;
        while (list.Head is { } head)
        {
            var due = head.LastUsed + list.IdleMilliseconds;
            if (due > now) return due;
            Expired++;
            Remove(head);
        }
        return long.MaxValue;
    }
}
