using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicHost.Virtio.Net;

/// <content>Commits: the header is written last, when it is known how many chains the frame took.</content>
internal sealed unsafe partial class RxPath
{
    public void Commit(RxTicket ticket, int length, in FrameOffload offload)
    {
        ref var reservation = ref Oldest(ticket);
        if ((uint)(length - 1) >= (uint)reservation.Length) throw new InvalidOperationException("More was committed than reserved.");
        if (reservation.Bounced)
        {
            CommitBounced(length, offload);
            return;
        }
        var ring = slot.Ring!;
        var used = 0;
        for (var left = length + _headerSize; left > 0; used++)
        {
            ref readonly var chain = ref _chains.AtHead(used);
            var written = (int)Math.Min(chain.Length, (uint)left);
            ring.Complete(chain.Head, (uint)written);
            left -= written;
        }
        Finish(reservation.Chains, used, length, offload);
    }

    private void CommitBounced(int length, in FrameOffload offload)
    {
        var ring = slot.Ring!;
        var chains = CountFor(length + _headerSize);
        if (chains == 0)
        {
            counters.DropRx(DropReason.NoBuffer);
            Close(0, 0);
            return;
        }
        var source = _bounce.AsSpan(0, length);
        for (var i = 0; i < chains; i++)
        {
            ref readonly var chain = ref _chains.AtHead(i);
            var skip = i == 0 ? _headerSize : 0;
            var take = Math.Min(source.Length, (int)chain.Length - skip);
            WriteAt(chain, skip, source[..take]);
            source = source[take..];
            ring.Complete(chain.Head, (uint)(skip + take));
        }
        Finish(chains, chains, length, offload);
    }

    /// <summary>How many of the oldest chains hold so many bytes; 0 when they do not.</summary>
    private int CountFor(int bytes)
    {
        long room = 0;
        for (var chains = 0; ; chains++)
        {
            if (room >= bytes) return chains;
            if (chains == 1 && !_mergeable) return 0;
            while (chains == _chains.Count)
            {
                if (!Fetch()) return 0;
            }
            room += _chains.AtHead(chains).Length;
        }
    }

    private void Finish(int reserved, int used, int length, in FrameOffload offload)
    {
        var header = NetHeader.For(offload, _accepted);
        header.Buffers = (ushort)used;
        WriteAt(_chains.AtHead(0), 0, new ReadOnlySpan<byte>(&header, _headerSize));
        counters.RxFrames++;
        counters.RxBytes += length;
        Close(reserved, used);
        // All chains of a frame become visible at once: a driver that sees the first takes the others for granted.
        slot.Ring!.Publish();
    }

    private void WriteAt(in RxChain chain, int offset, ReadOnlySpan<byte> bytes)
    {
        if (chain.Pieces == 1)
        {
            // SAFETY: offset + length <= chain.Length by the callers' counting, for a chain that was translated whole.
            bytes.CopyTo(new Span<byte>(chain.Base + offset, bytes.Length));
            return;
        }
        var count = WalkAgain(chain);
        SegmentOps.CopyFrom(_pieces.AsSpan(0, count), offset, bytes);
    }
}
