using System.Buffers.Binary;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicHost.Contracts.Offload;

/// <summary>
/// Gives frames of any kind to a guest and does in software what the guest did not accept: it divides super-frames, completes
/// checksums and puts VLAN tags back in line. Endpoints which hold frames in memory deliver through it.
/// </summary>
/// <remarks>One per queue, on the queue's loop. Allocates nothing per frame.</remarks>
public sealed class SoftwareReceiver
{
    private const int TagSize = 4;
    private readonly EndpointQueueConfig _config;
    private readonly Segment[] _room = new Segment[FrameLimits.MaxRxSegments];
    private readonly byte[] _headers = new byte[GsoSplitter.HeaderCapacity];

    /// <summary>Makes a receiver for one open queue.</summary>
    public SoftwareReceiver(EndpointQueueConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        _config = config;
    }

    /// <summary>Delivers one frame. The caller flushes after its batch.</summary>
    /// <param name="frame">The frame's bytes; lent for the call.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="offload">What is left to do for it.</param>
    /// <returns>
    /// False when the guest has no buffer for its start: nothing was delivered, try again after <c>ReceiveReady</c>. True when it was
    /// delivered, or dropped with a count because it cannot be delivered at all.
    /// </returns>
    public bool Deliver(ReadOnlySpan<Segment> frame, int length, in FrameOffload offload)
    {
        var wanted = offload;
        if (wanted.Checksum == ChecksumState.Partial && wanted.ChecksumStart + wanted.ChecksumOffset + 2 > length) return Drop(DropReason.BadOffload);
        if (wanted.Gso != GsoKind.None && wanted.SegmentSize == 0) return Drop(DropReason.BadOffload);
        var tag = wanted.Flags.Has(FrameFlags.Vlan) && !_config.AcceptedRx.Has(OffloadSet.Vlan);
        if (Takes(wanted) && Fits(length + (tag ? TagSize : 0), frame, tag)) return DeliverWhole(frame, length, wanted, tag);
        if (wanted.Gso == GsoKind.None) return Drop(DropReason.TooLong);

        var copied = SegmentOps.CopyTo(frame, 0, _headers);
        if (!GsoSplitter.TryStart(_headers.AsSpan(0, copied), length, wanted, out var splitter)) return Drop(DropReason.BadOffload);
        if (!Fits(splitter.WireLength + (tag ? TagSize : 0), frame, tag)) return Drop(DropReason.TooLong);
        return DeliverDivided(frame, ref splitter, wanted, tag);
    }

    private bool Takes(in FrameOffload offload)
    {
        var accepted = _config.AcceptedRx;
        if (offload.Flags.Has(FrameFlags.Ecn) && offload.Gso != GsoKind.None && !accepted.Has(OffloadSet.TsoEcn)) return false;
        return offload.Gso switch
        {
            GsoKind.None => true,
            GsoKind.TcpV4 => accepted.Has(OffloadSet.TsoV4),
            GsoKind.TcpV6 => accepted.Has(OffloadSet.TsoV6),
            _ => (accepted & (OffloadSet.UsoV4 | OffloadSet.UsoV6)) == (OffloadSet.UsoV4 | OffloadSet.UsoV6),
        };
    }

    private bool DeliverWhole(ReadOnlySpan<Segment> frame, int length, FrameOffload offload, bool tag)
    {
        var total = length + (tag ? TagSize : 0);
        if (!TryReserve(total, out var room, out var ticket)) return NeverFits(total) && Drop(DropReason.TooLong);
        var at = 0;
        if (tag)
        {
            Span<byte> addresses = stackalloc byte[12];
            SegmentOps.CopyTo(frame, 0, addresses);
            at = CopyWithTag(addresses, room, ref offload);
        }
        Copy(frame, tag ? 12 : 0, room, at, total);
        Finish(room, ticket, total, offload);
        return true;
    }

    private bool DeliverDivided(ReadOnlySpan<Segment> frame, ref GsoSplitter splitter, in FrameOffload offload, bool tag)
    {
        var first = true;
        while (splitter.MoveNext())
        {
            var length = splitter.Headers.Length + splitter.PayloadLength + (tag ? TagSize : 0);
            if (!TryReserve(length, out var room, out var ticket))
            {
                if (first) return NeverFits(length) && Drop(DropReason.TooLong);
                _config.Counters.DropRx(DropReason.NoBuffer);
                return true;
            }
            var wire = new FrameOffload
            {
                Checksum = ChecksumState.Partial,
                ChecksumStart = (ushort)splitter.ChecksumStart,
                ChecksumOffset = (ushort)splitter.ChecksumOffset,
                VlanTci = offload.VlanTci,
                Flags = offload.Flags & (FrameFlags.Vlan | FrameFlags.Hash),
                Hash = offload.Hash,
            };
            var at = tag ? CopyWithTag(splitter.Headers[..12], room, ref wire) : SegmentOps.CopyFrom(room, 0, splitter.Headers[..12]);
            at += SegmentOps.CopyFrom(room, at, splitter.Headers[12..]);
            Copy(frame, splitter.PayloadOffset, room, at, length);
            Finish(room, ticket, length, wire);
            first = false;
        }
        return true;
    }

    private void Finish(ReadOnlySpan<Segment> room, RxTicket ticket, int length, FrameOffload offload)
    {
        if (offload.Checksum != ChecksumState.Unknown && !_config.AcceptedRx.Has(OffloadSet.Checksum))
        {
            if (offload.Checksum == ChecksumState.Partial) PartialChecksum.Complete(room, length, offload.ChecksumStart, offload.ChecksumOffset);
            offload.Checksum = ChecksumState.Unknown;
        }
        _config.Device.Commit(ticket, length, offload);
    }

    /// <summary>A tag comes on top of the MTU (IEEE 802.1Q): what carries one may be longer by it. Only what is longer is looked into.</summary>
    private bool Fits(int length, ReadOnlySpan<Segment> frame, bool tag) =>
        length <= _config.MaxRxFrame || (length <= _config.MaxRxFrame + TagSize && (tag || IsTagged(frame)));

    private static bool IsTagged(ReadOnlySpan<Segment> frame)
    {
        Span<byte> start = stackalloc byte[14];
        return SegmentOps.CopyTo(frame, 0, start) == start.Length && BinaryPrimitives.ReadUInt16BigEndian(start[12..]) is 0x8100 or 0x88a8;
    }

    /// <summary>Whether it was the tag's bytes for which there was no room: buffers that hold the longest frame without one are there.</summary>
    private bool NeverFits(int length)
    {
        if (length <= _config.MaxRxFrame || !TryReserve(_config.MaxRxFrame, out _, out var ticket)) return false;
        _config.Device.Release(ticket);
        return true;
    }

    private bool TryReserve(int length, out ReadOnlySpan<Segment> room, out RxTicket ticket)
    {
        var count = _config.Device.Reserve(length, _room, out ticket);
        room = _room.AsSpan(0, count);
        return count > 0;
    }

    /// <summary>Writes both addresses and the tag; the record then counts from a header that is four bytes longer.</summary>
    private static int CopyWithTag(ReadOnlySpan<byte> addresses, ReadOnlySpan<Segment> room, ref FrameOffload offload)
    {
        Span<byte> start = stackalloc byte[16];
        addresses.CopyTo(start);
        start[12] = 0x81;
        start[13] = 0x00;
        start[14] = (byte)(offload.VlanTci >> 8);
        start[15] = (byte)offload.VlanTci;
        SegmentOps.CopyFrom(room, 0, start);
        offload.Flags &= ~FrameFlags.Vlan;
        offload.ChecksumStart += 4;
        return start.Length;
    }

    /// <summary>Copies from the frame to the room until the room holds <paramref name="end"/> bytes.</summary>
    private static void Copy(ReadOnlySpan<Segment> frame, int from, ReadOnlySpan<Segment> room, int to, int end)
    {
        foreach (ref readonly var segment in frame)
        {
            if ((nuint)from >= segment.Length) { from -= (int)segment.Length; continue; }
            var piece = segment.Span[from..];
            if (piece.Length > end - to) piece = piece[..(end - to)];
            to += SegmentOps.CopyFrom(room, to, piece);
            from = 0;
            if (to == end) break;
        }
    }

    private bool Drop(DropReason reason)
    {
        _config.Counters.DropRx(reason);
        return true;
    }
}
