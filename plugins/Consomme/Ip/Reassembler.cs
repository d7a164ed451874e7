using NicHost.Consomme.Core;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Memory;

namespace NicHost.Consomme.Ip;

/// <summary>What a fragment led to.</summary>
internal enum FragmentResult
{
    /// <summary>Kept; more are missing.</summary>
    Kept,

    /// <summary>The datagram is whole.</summary>
    Complete,

    /// <summary>Dropped, and the datagram with it.</summary>
    Refused,
}

/// <summary>One fragment's place in its datagram.</summary>
internal readonly record struct FragmentInfo(IpAddr Source, IpAddr Destination, uint Id, byte Protocol, int Offset, int Length, bool More);

/// <summary>
/// Puts the guest's fragments together (RFC 791 3.2, RFC 8200 4.5). Bounded in number and time; a datagram with overlapping fragments is
/// discarded whole (RFC 5722), while an exact repetition does no harm.
/// </summary>
internal sealed class Reassembler : IDisposable
{
    public const int MaxDatagrams = 16;
    public const int TimeoutMilliseconds = 30_000;

    private readonly ReassemblySlot[] _slots = new ReassemblySlot[MaxDatagrams];
    private readonly IEventLoop _loop;
    private readonly ILoopTimer _timer;

    public Reassembler(IEventLoop loop)
    {
        _loop = loop;
        _timer = loop.CreateTimer(Expire);
        for (var i = 0; i < _slots.Length; i++) _slots[i] = new ReassemblySlot();
    }

    /// <summary>Datagrams that were given up: overlapping, timed out, or pushed out by newer ones.</summary>
    public long GivenUp { get; private set; }

    public long Completed { get; private set; }

    public int Pending => _slots.Count(s => s.InUse);

    /// <summary>Adds a fragment whose payload starts <paramref name="payloadAt"/> bytes into <paramref name="segments"/>.</summary>
    /// <param name="slot">When complete: the datagram, until <see cref="ReassemblySlot.Free"/>.</param>
    public FragmentResult Add(in FragmentInfo info, ReadOnlySpan<Segment> segments, int payloadAt, out ReassemblySlot? slot)
    {
        slot = null;
        // Only the last fragment may have a length that is no multiple of 8, and none may reach beyond 65,535 bytes.
        if (info.Length == 0 || (info.More && (info.Length & 7) != 0) || info.Offset + info.Length > ReassemblySlot.Capacity) return FragmentResult.Refused;
        var found = Find(info) ?? Take(info);
        switch (found.Add(info, segments, payloadAt))
        {
            case FragmentResult.Complete:
                Completed++;
                slot = found;
                return FragmentResult.Complete;
            case FragmentResult.Refused:
                return FragmentResult.Refused;
            default:
                return FragmentResult.Kept;
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        foreach (var slot in _slots) slot.Dispose();
    }

    private ReassemblySlot? Find(in FragmentInfo info)
    {
        foreach (var slot in _slots)
        {
            if (slot.InUse && slot.Matches(info)) return slot;
        }
        return null;
    }

    private ReassemblySlot Take(in FragmentInfo info)
    {
        var oldest = _slots[0];
        foreach (var slot in _slots)
        {
            if (!slot.InUse) { oldest = slot; break; }
            if (slot.Deadline < oldest.Deadline) oldest = slot;
        }
        if (oldest.InUse) GivenUp++;
        oldest.Start(info, _loop.NowMilliseconds + TimeoutMilliseconds);
        if (!_timer.IsSet) _timer.Set(TimeoutMilliseconds);
        return oldest;
    }

    private void Expire()
    {
        var now = _loop.NowMilliseconds;
        var next = long.MaxValue;
        foreach (var slot in _slots)
        {
            if (!slot.InUse) continue;
            if (slot.Deadline > now) { next = Math.Min(next, slot.Deadline); continue; }
            GivenUp++;
            slot.Free();
        }
        if (next != long.MaxValue) _timer.Set(next - now);
    }
}
