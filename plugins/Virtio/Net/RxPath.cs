using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicHost.Virtio.Net;

/// <summary>
/// From the endpoint into the guest's rx ring: reserve, commit, release, flush of <see cref="IDeviceQueue"/>. On the queue's loop; nothing
/// here allocates. With mergeable buffers a frame takes as many chains as it needs; without, it needs one that is large enough.
/// </summary>
internal sealed unsafe partial class RxPath(RingSlot slot, QueueCounters counters)
{
    private const int MaxOpen = FrameLimits.MaxBatch;

    // One more than the contract's limit: a header may have a descriptor of its own.
    private const int MaxPieces = FrameLimits.MaxRxSegments + 1;

    private readonly RxChains _chains = new();
    private readonly RxReservation[] _open = new RxReservation[MaxOpen];
    private readonly Segment[] _pieces = GC.AllocateUninitializedArray<Segment>(MaxPieces, pinned: true);
    private NetFeatures _accepted;
    private int _headerSize;
    private bool _mergeable;
    private bool _inOrder;
    private bool _bounceOpen;
    private int _firstOpen;
    private int _openCount;
    private byte[]? _bounce;

    /// <summary>Whether the endpoint waits for buffers.</summary>
    public bool Wanted { get; private set; }

    /// <summary>Whether the guest broke the ring.</summary>
    public bool Broken => slot.Ring?.Fault is not null;

    /// <summary>Prepares for a ring that has just started.</summary>
    public void Started(NetFeatures accepted)
    {
        _accepted = accepted;
        _headerSize = NetHeader.SizeFor(accepted);
        _mergeable = accepted.HasFlag(NetFeatures.MrgRxbuf);
        _inOrder = accepted.HasFlag(NetFeatures.InOrder);
        _chains.Reset(slot.Ring!.Size);
        _openCount = 0;
        _bounceOpen = false;
        slot.Ring.DisableKicks();
    }

    /// <summary>Gives all chains back before the ring stops.</summary>
    public void Stopping()
    {
        _openCount = 0;
        _bounceOpen = false;
        if (slot.Ring is not { Fault: null } ring) return;
        // A chain between used ones cannot be taken back: the ring's next user would take the used ones again and lose this one. The guest
        // gets it as an empty buffer, which drivers count and post again.
        var back = _chains.GiveBack(ring.NextAvailable, head => ring.Complete(head, 0));
        ring.Rewind(back);
        ring.Publish();
    }

    /// <summary>The endpoint is about to be told that there are buffers.</summary>
    public void ClearWanted() => Wanted = false;

    /// <summary>A kick: the guest has posted buffers.</summary>
    /// <returns>Whether the endpoint waits for them.</returns>
    public bool Kicked()
    {
        if (!Wanted || !slot.Enabled) return false;
        Wanted = false;
        slot.Ring!.DisableKicks();
        return true;
    }

    public int Reserve(int length, Span<Segment> segments, out RxTicket ticket)
    {
        ticket = new RxTicket(_firstOpen + _openCount, 0);
        if (!slot.Enabled || Broken) return Refuse();
        if (_openCount == MaxOpen || _bounceOpen || (_inOrder && _openCount > 0)) return 0;
        while (true)
        {
            var count = _mergeable ? GatherMany(length, segments, out var chains) : GatherOne(length, segments, out chains);
            if (count > 0)
            {
                Open(new RxReservation { Chains = chains, Length = length });
                return count;
            }
            if (_openCount > 0) return 0;
            if (Broken) return Refuse();
            if (MustBounce(count)) return OpenBounce(length, segments);
            if (!slot.Ring!.EnableKicks()) return Refuse();
        }
    }

    public void Release(RxTicket ticket)
    {
        ref var reservation = ref Oldest(ticket);
        Close(reservation.Chains, used: 0);
    }

    public void Flush()
    {
        if (slot.Ring is { } ring && ring.ShouldNotify()) slot.Notify();
    }

    private int Refuse()
    {
        if (_openCount > 0) return 0;
        Wanted = true;
        counters.RxStalls++;
        return 0;
    }

    private void Open(in RxReservation reservation)
    {
        _open[(_firstOpen + _openCount++) & (MaxOpen - 1)] = reservation;
        _chains.Reserve(reservation.Chains);
    }

    private ref RxReservation Oldest(RxTicket ticket)
    {
        if (_openCount == 0 || ticket.First != _firstOpen)
            throw new InvalidOperationException("Reservations end in the order in which they were made, each once.");
        return ref _open[_firstOpen & (MaxOpen - 1)];
    }

    private void Close(int reserved, int used)
    {
        _firstOpen++;
        _openCount--;
        _bounceOpen = false;
        _chains.Retire(reserved, used, _openCount > 0);
    }

    /// <summary>Takes one more chain from the ring.</summary>
    private bool Fetch()
    {
        var ring = slot.Ring!;
        var position = ring.NextAvailable;
        if (!ring.TryPop(out var head)) return false;
        var count = ring.Walk(head, _pieces, out var readable);
        if (count == Virtqueue.Virtqueue.Broken) return false;
        ulong total = 0;
        for (var i = 0; i < count; i++) total += _pieces[i].Length;
        // 5.1.6.3: receive buffers are writable and hold the header and more. No driver's are cut into more pieces than we take.
        if (count == Virtqueue.Virtqueue.TooLong || readable > 0 || total <= (ulong)_headerSize)
            return ring.Fail($"the receive buffer at descriptor {head} is no buffer: {Math.Max(0, count)} pieces, {readable} of them readable, {total} bytes");
        var chain = new RxChain { Head = head, Position = position, Pieces = count, Length = (uint)Math.Min(total, int.MaxValue) };
        if (count == 1) chain.Base = _pieces[0].Base;
        _chains.Add(chain);
        return true;
    }

    /// <summary>Writes the data room of a chain.</summary>
    /// <returns>How many segments; 0 when there is not enough room for them.</returns>
    private int Lay(in RxChain chain, int skip, Span<Segment> segments)
    {
        if (chain.Pieces == 1)
        {
            if (segments.IsEmpty) return 0;
            // SAFETY: the chain is longer than a header (checked by Fetch).
            segments[0] = new Segment { Base = chain.Base + skip, Length = (nuint)(chain.Length - (uint)skip) };
            return 1;
        }
        var count = WalkAgain(chain);
        var laid = 0;
        for (var i = 0; i < count; i++)
        {
            var piece = _pieces[i];
            if (piece.Length <= (nuint)skip)
            {
                skip -= (int)piece.Length;
                continue;
            }
            if (laid == segments.Length) return 0;
            // Whoever fills it counts in int; a guest may describe more.
            segments[laid++] = new Segment { Base = piece.Base + skip, Length = Math.Min(piece.Length - (nuint)skip, int.MaxValue) };
            skip = 0;
        }
        return laid;
    }

    // The guest may have changed the descriptors since: the walk checks them anew, and whoever uses the pieces looks at their lengths anew.
    private int WalkAgain(in RxChain chain)
    {
        var count = slot.Ring!.Walk(chain.Head, _pieces, out var readable);
        return readable == 0 ? Math.Max(0, count) : 0;
    }
}
