using System.Buffers.Binary;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.NetVsp.Rndis;
using NicHost.Wire;

namespace NicHost.NetVsp.Net;

/// <content>
/// Per-packet information: what the guest leaves to us. Where NDIS's way differs from the contract's (a header without its lengths, a tag beside
/// the frame), the frame gets a private copy of its headers, put right; payload stays where it is.
/// </content>
internal sealed unsafe partial class TxPath
{
    private const int MaxInformation = 256;
    private const int HeaderRoom = 288;
    private const int HeaderSlots = 512;
    private const int EthernetHeader = FrameLimits.EthernetHeader;
    private const int TagSize = 4;

    // A ring of places, in the order of the frames that use them.
    private byte[]? _headers;
    private int _headerFirst;
    private int _headerCount;

    private struct Wishes
    {
        public bool HasChecksum;
        public bool HasLargeSend;
        public bool HasTag;
        public uint Checksum;
        public uint LargeSend;
        public ushort Tci;

        public readonly bool IsV6 => HasLargeSend ? LargeSend >> 31 != 0 : (Checksum & 2) != 0;
        public readonly bool WantsTcp => (Checksum & 4) != 0;
        public readonly bool WantsUdp => (Checksum & 8) != 0;
        public readonly bool WantsIpHeader => HasChecksum && (Checksum & 0x10) != 0 && !IsV6;
        public readonly int SegmentSize => (int)(LargeSend & 0xf_ffff);
        public readonly int Transport => (int)((HasLargeSend ? LargeSend >> 20 : Checksum >> 16) & 0x3ff);
    }

    private bool TryReadInformation(int at, in PacketHeader header, out Wishes wishes)
    {
        wishes = default;
        if (header.InformationLength == 0) return true;
        if (header.InformationLength > MaxInformation) return false;
        Span<byte> bytes = stackalloc byte[(int)header.InformationLength];
        if (SegmentOps.CopyTo(_stream.AsSpan(0, _streamCount), at + RndisFormat.HeaderSize + (int)header.InformationOffset, bytes) < bytes.Length) return false;
        for (ReadOnlySpan<byte> rest = bytes; rest.Length >= RndisFormat.PpiHeader;)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            var type = (PpiType)BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            var offset = BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]);
            if (size < RndisFormat.PpiHeader || size > (uint)rest.Length || offset < RndisFormat.PpiHeader || offset > size) return false;
            if (size - offset >= 4) Note(type, BinaryPrimitives.ReadUInt32LittleEndian(rest[(int)offset..]), ref wishes);
            rest = rest[(int)size..];
        }
        return true;
    }

    private static void Note(PpiType type, uint value, ref Wishes wishes)
    {
        switch (type)
        {
            case PpiType.Checksum:
                wishes.HasChecksum = true;
                wishes.Checksum = value;
                break;
            case PpiType.LargeSend:
                wishes.HasLargeSend = true;
                wishes.LargeSend = value;
                break;
            case PpiType.Vlan:
                wishes.HasTag = true;
                wishes.Tci = (ushort)(((value & 7) << 13) | (((value >> 3) & 1) << 12) | ((value >> 4) & 0xfff));
                break;
            default:
                // DPDK's hash value names its queue; everything else is between the guest and itself.
                break;
        }
    }

    /// <summary>Makes the frame and its record what the contract says.</summary>
    /// <returns>Why it is dropped, or null.</returns>
    private DropReason? Fulfil(ref TxFrame frame, in Wishes wishes)
    {
        var wantsSum = wishes.HasLargeSend || (wishes.HasChecksum && (wishes.WantsTcp || wishes.WantsUdp));
        var insertsTag = wishes.HasTag && !_endpointTakes.Has(OffloadSet.Vlan);
        if (wishes.HasTag && !insertsTag)
        {
            frame.Offload.Flags |= FrameFlags.Vlan;
            frame.Offload.VlanTci = wishes.Tci;
        }
        var sumsHeader = wishes.WantsIpHeader && !wishes.HasLargeSend && !_endpointTakes.Has(OffloadSet.Ipv4HeaderChecksum);
        if (wishes.WantsIpHeader && !wishes.HasLargeSend && !sumsHeader) frame.Offload.Flags |= FrameFlags.Ipv4HeaderChecksum;
        if (wantsSum && !_settings.TxOffloads.Has(OffloadSet.Checksum)) return DropReason.BadOffload;
        if (!wantsSum && !insertsTag && !sumsHeader) return null;

        if (wantsSum && !wishes.HasLargeSend && wishes.Transport != 0 && !insertsTag && !sumsHeader)
            return LeaveChecksum(ref frame, wishes.Transport, wishes.WantsTcp);
        return WithHeaders(ref frame, wishes, wantsSum, insertsTag, sumsHeader);
    }

    private static DropReason? LeaveChecksum(ref TxFrame frame, int transport, bool isTcp)
    {
        var offset = isTcp ? 16 : 6;
        if (transport < EthernetHeader || transport + offset + 2 > frame.Length) return DropReason.BadOffload;
        frame.Offload.Checksum = ChecksumState.Partial;
        frame.Offload.ChecksumStart = (ushort)transport;
        frame.Offload.ChecksumOffset = (ushort)offset;
        return null;
    }

    private DropReason? WithHeaders(ref TxFrame frame, in Wishes wishes, bool wantsSum, bool insertsTag, bool sumsHeader)
    {
        if (_headerCount == HeaderSlots) return DropReason.QueueFull;
        // Made once, for guests that leave such things to us.
        _headers ??= GC.AllocateUninitializedArray<byte>(HeaderSlots * HeaderRoom, pinned: true);
        var room = _headers.AsSpan((_headerFirst + _headerCount) % HeaderSlots * HeaderRoom, HeaderRoom);
        var segments = _segments.AsSpan(frame.FirstSegment, frame.SegmentCount);
        var tag = insertsTag ? TagSize : 0;
        var copied = SegmentOps.CopyTo(segments, 0, room[tag..]);
        var head = room.Slice(tag, copied);
        var end = EthernetHeader;
        if (wantsSum || sumsHeader)
        {
            if (!TryFindTransport(head, wishes, out var isV6, out var transport)) return DropReason.BadOffload;
            end = transport;
            if (wantsSum)
            {
                var isTcp = wishes.HasLargeSend || wishes.WantsTcp;
                if (LeaveChecksum(ref frame, transport, isTcp) is { } bad) return bad;
                if (wishes.HasLargeSend && PrepareLargeSend(head, ref frame, wishes, isV6, transport, out end) is { } worse) return worse;
            }
            if (!isV6 && (sumsHeader || wishes.HasLargeSend)) SumHeader(head[EthernetHeader..transport]);
        }
        if (end > frame.Length || end > copied) return DropReason.BadOffload;
        if (insertsTag)
        {
            InsertTag(room, wishes.Tci);
            if (wantsSum) frame.Offload.ChecksumStart += TagSize;
            if (wishes.HasLargeSend) frame.Offload.HeaderLength += TagSize;
        }
        return Replace(ref frame, room[..(tag + end)], end);
    }

    /// <summary>Puts the private headers in the place of the frame's first bytes.</summary>
    private DropReason? Replace(ref TxFrame frame, Span<byte> headers, int replaced)
    {
        var at = frame.FirstSegment;
        var segments = _segments.AsSpan(at, frame.SegmentCount);
        var skip = 0;
        var left = (nuint)replaced;
        while (left > 0)
        {
            ref var segment = ref segments[skip];
            var take = Math.Min(segment.Length, left);
            segment.Base += take;
            segment.Length -= take;
            left -= take;
            if (segment.Length == 0) skip++;
        }
        var rest = frame.SegmentCount - skip;
        if (rest + 1 > FrameLimits.MaxTxSegments) return DropReason.TooLong;
        _segments.AsSpan(at + skip, rest).CopyTo(_segments.AsSpan(at + 1));
        // SAFETY: a slot of the pinned array, which is not used anew before the frame is gone.
        fixed (byte* p = headers) _segments[at] = new Segment(p, headers.Length);
        frame.SegmentCount = rest + 1;
        frame.Length += headers.Length - replaced;
        _headerCount++;
        _hasHeader[_frameCount] = true;
        return null;
    }

    private static bool TryFindTransport(ReadOnlySpan<byte> head, in Wishes wishes, out bool isV6, out int transport)
    {
        isV6 = false;
        transport = 0;
        if (head.Length < EthernetHeader + 20) return false;
        var version = head[EthernetHeader] >> 4;
        isV6 = version == 6;
        if (version is not (4 or 6) || isV6 != wishes.IsV6) return false;
        var least = EthernetHeader + (isV6 ? 40 : (head[EthernetHeader] & 0xf) * 4);
        transport = wishes.Transport == 0 ? least : wishes.Transport;
        // Between an IPv4 header and the transport there is nothing; between IPv6's there may be extensions.
        return least >= EthernetHeader + 20 && transport <= head.Length && (isV6 ? transport >= least : transport == least);
    }

    /// <summary>NDIS wants a large send's length fields left out, the contract wants them: a header as if the frame went out whole.</summary>
    private DropReason? PrepareLargeSend(Span<byte> head, ref TxFrame frame, in Wishes wishes, bool isV6, int transport, out int payload)
    {
        payload = 0;
        if (!_settings.TxOffloads.Has(isV6 ? OffloadSet.TsoV6 : OffloadSet.TsoV4)) return DropReason.BadOffload;
        if (head.Length < transport + 20 || wishes.SegmentSize is 0 or > ushort.MaxValue) return DropReason.BadOffload;
        var header = (head[transport + 12] >> 4) * 4;
        payload = transport + header;
        if (header < 20 || payload > head.Length || payload > frame.Length) return DropReason.BadOffload;
        var network = head[EthernetHeader..];
        var packet = frame.Length - EthernetHeader;
        if (packet > ushort.MaxValue) return DropReason.TooLong;
        BinaryPrimitives.WriteUInt16BigEndian(network[(isV6 ? 4 : 2)..], (ushort)(isV6 ? packet - 40 : packet));
        var addresses = isV6 ? network.Slice(8, 32) : network.Slice(12, 8);
        var sum = InternetChecksum.Add((uint)(IpProtocolTcp + frame.Length - transport), addresses);
        BinaryPrimitives.WriteUInt16BigEndian(head[(transport + 16)..], InternetChecksum.Fold(sum));
        frame.Offload.Gso = isV6 ? GsoKind.TcpV6 : GsoKind.TcpV4;
        frame.Offload.SegmentSize = (ushort)wishes.SegmentSize;
        frame.Offload.HeaderLength = (ushort)payload;
        // CWR: on the first wire frame only.
        if ((head[transport + 13] & 0x80) != 0 && _endpointTakes.Has(OffloadSet.TsoEcn)) frame.Offload.Flags |= FrameFlags.Ecn;
        return null;
    }

    private const int IpProtocolTcp = 6;

    private static void SumHeader(Span<byte> network)
    {
        network[10..12].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(network[10..], (ushort)~InternetChecksum.Fold(InternetChecksum.Add(0, network)));
    }

    /// <summary>Moves the addresses forward, over the room that was left for the tag.</summary>
    private static void InsertTag(Span<byte> room, ushort tci)
    {
        room.Slice(TagSize, 12).CopyTo(room);
        BinaryPrimitives.WriteUInt16BigEndian(room[12..], 0x8100);
        BinaryPrimitives.WriteUInt16BigEndian(room[14..], tci);
    }
}
