using System.Buffers.Binary;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Wire;

namespace NicHost.Contracts.Offload;

/// <summary>
/// Stands before an endpoint's queue that takes less than the guest was offered, and does the rest in software: it divides super-frames,
/// completes checksums and puts VLAN tags back in line. The payload is passed on where it lies, in guest memory; only headers are copied.
/// </summary>
/// <remarks>One per queue, on the queue's loop. Allocates nothing per frame.</remarks>
public sealed class SoftwareTransmitter : IEndpointQueue
{
    // A header with a tag that is put in line.
    private const int HeaderRoom = GsoSplitter.HeaderCapacity + 4;

    private readonly IEndpointQueue _inner;
    private readonly OffloadSet _accepts;
    private readonly QueueCounters _counters;
    private readonly Segment[] _segments = GC.AllocateUninitializedArray<Segment>(FrameLimits.MaxTxSegments, pinned: true);
    private readonly byte[] _headers = GC.AllocateUninitializedArray<byte>(HeaderRoom, pinned: true);
    private readonly byte[] _copy = new byte[GsoSplitter.HeaderCapacity];
    private readonly TxFrame[] _frame = new TxFrame[1];
    private int _sent;

    /// <summary>Wraps a queue.</summary>
    /// <param name="inner">The endpoint's queue.</param>
    /// <param name="accepts">What it takes: its endpoint's <see cref="EndpointCapabilities.TxAccepts"/>.</param>
    /// <param name="counters">Where frames that cannot be divided are counted.</param>
    public SoftwareTransmitter(IEndpointQueue inner, OffloadSet accepts, QueueCounters counters)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(counters);
        (_inner, _accepts, _counters) = (inner, accepts, counters);
    }

    /// <inheritdoc/>
    public int Transmit(in TxBatch batch)
    {
        for (var i = 0; i < batch.Frames.Length; i++)
        {
            ref readonly var frame = ref batch.Frames[i];
            if (!Send(batch.SegmentsOf(frame), frame)) return i;
        }
        return batch.Frames.Length;
    }

    /// <summary>The frame that was not taken will not come again: the guest's queue was emptied otherwise.</summary>
    public void Forget() => _sent = 0;

    /// <inheritdoc/>
    public void ReceiveReady() => _inner.ReceiveReady();

    /// <inheritdoc/>
    public void Close() => _inner.Close();

    /// <returns>False when the endpoint has no room; what of a super-frame went is remembered, for the frame comes again.</returns>
    private bool Send(ReadOnlySpan<Segment> segments, in TxFrame frame)
    {
        if (Takes(frame.Offload)) return Pass(segments, frame.Length, frame.Offload);
        return frame.Offload.Gso != GsoKind.None && !TakesGso(frame.Offload) ? SendDivided(segments, frame) : SendWhole(segments, frame);
    }

    private bool Takes(in FrameOffload offload) =>
        (offload.Checksum != ChecksumState.Partial || _accepts.Has(OffloadSet.Checksum)) && TakesGso(offload)
        && (!offload.Flags.Has(FrameFlags.Vlan) || _accepts.Has(OffloadSet.Vlan))
        && (!offload.Flags.Has(FrameFlags.Ipv4HeaderChecksum) || _accepts.Has(OffloadSet.Ipv4HeaderChecksum));

    private bool TakesGso(in FrameOffload offload) => offload.Gso switch
    {
        GsoKind.None => true,
        _ when offload.Flags.Has(FrameFlags.Ecn) && !_accepts.Has(OffloadSet.TsoEcn) => false,
        GsoKind.TcpV4 => _accepts.Has(OffloadSet.TsoV4 | OffloadSet.Checksum),
        GsoKind.TcpV6 => _accepts.Has(OffloadSet.TsoV6 | OffloadSet.Checksum),
        _ => _accepts.Has(OffloadSet.UsoV4 | OffloadSet.UsoV6 | OffloadSet.Checksum),
    };

    private bool SendWhole(ReadOnlySpan<Segment> segments, in TxFrame frame)
    {
        var length = SegmentOps.CopyTo(segments, 0, _copy.AsSpan(0, Math.Min(frame.Length, _copy.Length)));
        var offload = frame.Offload;
        if (offload.Checksum == ChecksumState.Partial && !_accepts.Has(OffloadSet.Checksum))
        {
            var field = offload.ChecksumStart + offload.ChecksumOffset;
            // The field has to lie in what is copied: guest memory is the guest's.
            if (field + 2 > length) return Drop();
            Store(field, ~Fold(PartialChecksum.Sum(segments, offload.ChecksumStart, frame.Length - offload.ChecksumStart)));
            offload.Checksum = ChecksumState.Unknown;
        }
        if (offload.Flags.Has(FrameFlags.Ipv4HeaderChecksum) && !_accepts.Has(OffloadSet.Ipv4HeaderChecksum))
        {
            if (!FrameHeaders.TryParse(_copy.AsSpan(0, length), out var layout) || !layout.IsV4) return Drop();
            var header = _copy.AsSpan(layout.Network, layout.Transport - layout.Network);
            header[10..12].Clear();
            BinaryPrimitives.WriteUInt16BigEndian(header[10..], (ushort)~InternetChecksum.Fold(InternetChecksum.Add(0, header)));
            offload.Flags &= ~FrameFlags.Ipv4HeaderChecksum;
        }
        return Pass(_copy.AsSpan(0, length), segments, length, frame.Length - length, offload);
    }

    private bool SendDivided(ReadOnlySpan<Segment> segments, in TxFrame frame)
    {
        var length = SegmentOps.CopyTo(segments, 0, _copy.AsSpan(0, Math.Min(frame.Length, _copy.Length)));
        if (!GsoSplitter.TryStart(_copy.AsSpan(0, length), frame.Length, frame.Offload, out var splitter)) return Drop();
        for (var i = 0; splitter.MoveNext(); i++)
        {
            if (i < _sent) continue;
            var offload = new FrameOffload { VlanTci = frame.Offload.VlanTci, Flags = frame.Offload.Flags & (FrameFlags.Vlan | FrameFlags.Hash), Hash = frame.Offload.Hash };
            if (_accepts.Has(OffloadSet.Checksum))
            {
                offload.Checksum = ChecksumState.Partial;
                offload.ChecksumStart = (ushort)splitter.ChecksumStart;
                offload.ChecksumOffset = (ushort)splitter.ChecksumOffset;
            }
            else Complete(splitter, segments);
            if (!Pass(splitter.Headers, segments, splitter.PayloadOffset, splitter.PayloadLength, offload))
            {
                _sent = i;
                return false;
            }
        }
        _sent = 0;
        return true;
    }

    private void Complete(in GsoSplitter splitter, ReadOnlySpan<Segment> segments)
    {
        var start = splitter.ChecksumStart;
        // Of both parts together; the headers have an even number of bytes behind the transport's start.
        var sum = InternetChecksum.Add(0, splitter.Headers[start..]);
        sum = Fold(sum) + (uint)Fold(PartialChecksum.Sum(segments, splitter.PayloadOffset, splitter.PayloadLength));
        Store(start + splitter.ChecksumOffset, ~Fold(sum));
    }

    // A computed UDP checksum of 0 is sent as 0xffff (RFC 768); in TCP the two are the same number.
    private void Store(int field, int checksum) =>
        BinaryPrimitives.WriteUInt16BigEndian(_copy.AsSpan(field), (ushort)checksum == 0 ? (ushort)0xffff : (ushort)checksum);

    private static ushort Fold(uint sum) => InternetChecksum.Fold(sum);

    private bool Pass(ReadOnlySpan<Segment> segments, int length, in FrameOffload offload)
    {
        _frame[0] = new TxFrame { FirstSegment = 0, SegmentCount = segments.Length, Length = length, Offload = offload };
        return _inner.Transmit(new TxBatch(_frame, segments)) == 1;
    }

    /// <summary>Passes on a header of ours, with its tag in line where that is wanted, and the guest's payload behind it.</summary>
    private unsafe bool Pass(ReadOnlySpan<byte> header, ReadOnlySpan<Segment> payload, int offset, int length, FrameOffload offload)
    {
        var room = _headers.AsSpan();
        var tag = offload.Flags.Has(FrameFlags.Vlan) && !_accepts.Has(OffloadSet.Vlan);
        if (tag)
        {
            header[..12].CopyTo(room);
            BinaryPrimitives.WriteUInt16BigEndian(room[12..], 0x8100);
            BinaryPrimitives.WriteUInt16BigEndian(room[14..], offload.VlanTci);
            header[12..].CopyTo(room[16..]);
            offload.Flags &= ~FrameFlags.Vlan;
            offload.ChecksumStart += 4;
        }
        else header.CopyTo(room);
        var headerLength = header.Length + (tag ? 4 : 0);
        // SAFETY: _headers is pinned for the life of this object, and headerLength is within it: a copy of at most HeaderCapacity, and a tag.
        fixed (byte* at = _headers) _segments[0] = new Segment(at, headerLength);
        // An endpoint is promised at most so many.
        var count = SegmentOps.Slice(payload, offset, length, _segments.AsSpan(1, FrameLimits.MaxTxSegments - 1));
        return count < 0 ? Drop() : Pass(_segments.AsSpan(0, 1 + count), headerLength + length, offload);
    }

    private bool Drop()
    {
        _counters.DropTx(DropReason.BadOffload);
        return true;
    }
}
