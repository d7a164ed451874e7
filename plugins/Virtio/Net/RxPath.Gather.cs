using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicHost.Virtio.Net;

/// <content>Reservations: chains for a frame, or the bounce buffer where the guest's buffers cannot hold it.</content>
internal sealed unsafe partial class RxPath
{
    // Gathering results other than a count of segments.
    private const int NotEnough = 0;
    private const int NoFit = -1;

    // A ring of so few buffers may never hold a full super-frame; larger ones do once the guest refills them.
    private const int SmallRing = 64;

    private int GatherMany(int length, Span<Segment> segments, out int chains)
    {
        chains = 0;
        var left = length + _headerSize;
        var count = 0;
        while (left > 0)
        {
            if (chains == _chains.Free)
            {
                if (!Fetch()) return NotEnough;
                continue;
            }
            ref readonly var chain = ref _chains.AtCursor(chains);
            var laid = Lay(chain, chains == 0 ? _headerSize : 0, segments[count..]);
            if (laid == 0) return NoFit;
            count += laid;
            chains++;
            left -= (int)Math.Min(chain.Length, (uint)left);
        }
        return Covers(segments[..count], length) ? count : NoFit;
    }

    private int GatherOne(int length, Span<Segment> segments, out int chains)
    {
        chains = 1;
        while (_chains.Free == 0)
        {
            if (!Fetch()) return NotEnough;
        }
        ref readonly var chain = ref _chains.AtCursor(0);
        if (chain.Length < (uint)(length + _headerSize)) return NoFit;
        var count = Lay(chain, _headerSize, segments);
        return count > 0 && Covers(segments[..count], length) ? count : NoFit;
    }

    // Chains of several pieces were walked again and may have shrunk.
    private static bool Covers(ReadOnlySpan<Segment> segments, int length) => SegmentOps.TotalLength(segments) >= length;

    /// <summary>
    /// Whether a frame must be filled elsewhere first: the guest's buffers are too small for what the endpoint may read, though perhaps not
    /// for what it will read.
    /// </summary>
    private bool MustBounce(int gathered) =>
        _chains.Free > 0 && (gathered == NoFit || (slot.Ring!.Size <= SmallRing && slot.Ring.InFlight >= slot.Ring.Size / 2));

    private int OpenBounce(int length, Span<Segment> segments)
    {
        if (segments.IsEmpty) return 0;
        // Made once, for guests with such buffers only.
        _bounce ??= GC.AllocateUninitializedArray<byte>(FrameLimits.MaxFrame, pinned: true);
        if (length > _bounce.Length) return Refuse();
        // SAFETY: pinned, and length is within it.
        fixed (byte* p = _bounce) segments[0] = new Segment(p, length);
        Open(new RxReservation { Length = length, Bounced = true });
        _bounceOpen = true;
        return 1;
    }
}
