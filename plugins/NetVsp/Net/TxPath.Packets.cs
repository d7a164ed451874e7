using System.Buffers.Binary;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.NetVsp.Memory;
using NicHost.NetVsp.Nvsp;
using NicHost.NetVsp.Rings;
using NicHost.NetVsp.Rndis;

namespace NicHost.NetVsp.Net;

/// <content>From a packet of the ring to frames.</content>
internal sealed unsafe partial class TxPath
{
    // Pieces of one packet's stream: a section and as many pages as any packet names.
    private const int MaxPieces = 1024 + 2;

    private const int NvspRndisSize = 16;

    private readonly Segment[] _stream = new Segment[MaxPieces];
    private int _streamCount;

    /// <summary>Gathers the bytes that a packet names.</summary>
    /// <param name="packet">The packet, in a private copy.</param>
    /// <param name="descriptor">Its descriptor.</param>
    /// <param name="buffers">The send buffer.</param>
    /// <param name="memory">The guest's memory.</param>
    /// <returns>Bytes; −1 when they are not where it says.</returns>
    public int Gather(ReadOnlySpan<byte> packet, in PacketDescriptor descriptor, BufferSet buffers, GuestMemory memory)
    {
        _streamCount = 0;
        var message = packet[(descriptor.DataOffset8 * 8)..];
        if (message.Length < NvspRndisSize) return -1;
        var total = 0;
        var section = BinaryPrimitives.ReadUInt32LittleEndian(message[8..]);
        if (section != NvspFormat.NoSection)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(message[12..]);
            if (section >= (uint)buffers.SendSections || size > NvspFormat.SendSectionSize) return -1;
            var pieces = buffers.Send!.Cover((int)section * NvspFormat.SendSectionSize, (int)size, _stream);
            if (pieces < 0) return -1;
            _streamCount = pieces;
            total = (int)size;
        }
        if (descriptor.Type != PacketType.GpaDirect) return total;
        var ranges = GatherRanges(packet[PacketDescriptor.Size..(descriptor.DataOffset8 * 8)], memory);
        return ranges < 0 ? -1 : total + ranges;
    }

    /// <summary>Copies the start of what <see cref="Gather"/> found.</summary>
    public int CopyStream(Span<byte> destination) => SegmentOps.CopyTo(_stream.AsSpan(0, _streamCount), 0, destination);

    /// <summary>Takes the frames of a packet.</summary>
    /// <param name="total">Bytes that <see cref="Gather"/> found.</param>
    /// <param name="descriptor">The packet's.</param>
    public void Add(int total, in PacketDescriptor descriptor)
    {
        if (_packetCount == _packets.Length) Array.Resize(ref _packets, _packets.Length * 2);
        ref var packet = ref _packets[_packetCount++];
        packet = new Packet { Transaction = descriptor.TransactionId, WantsCompletion = descriptor.WantsCompletion, Status = NvspStatus.Success };
        if (total < 0)
        {
            Refuse(ref packet, DropReason.Malformed);
            return;
        }
        for (var at = 0; total - at >= RndisFormat.HeaderSize;)
        {
            var length = AddMessage(ref packet, at, total - at);
            if (length <= 0) return;
            at += length;
        }
        if (total < RndisFormat.PacketSize) Refuse(ref packet, DropReason.Malformed);
    }

    /// <summary>Takes nothing of a packet but the duty to complete it.</summary>
    public void Refuse(in PacketDescriptor descriptor, DropReason reason)
    {
        if (_packetCount == _packets.Length) Array.Resize(ref _packets, _packets.Length * 2);
        ref var packet = ref _packets[_packetCount++];
        packet = new Packet { Transaction = descriptor.TransactionId, WantsCompletion = descriptor.WantsCompletion };
        Refuse(ref packet, reason);
    }

    private void Refuse(ref Packet packet, DropReason reason)
    {
        packet.Status = NvspStatus.Failure;
        _counters.DropTx(reason);
    }

    /// <summary>Ranges of guest memory: each a byte count, an offset into its first page, and the frames of its pages.</summary>
    private int GatherRanges(ReadOnlySpan<byte> list, GuestMemory memory)
    {
        if (list.Length < 8) return -1;
        var count = BinaryPrimitives.ReadUInt32LittleEndian(list[4..]);
        if (count == 0) return -1;
        list = list[8..];
        var total = 0;
        for (var i = 0u; i < count; i++)
        {
            if (list.Length < 8) return -1;
            var bytes = BinaryPrimitives.ReadUInt32LittleEndian(list);
            var offset = BinaryPrimitives.ReadUInt32LittleEndian(list[4..]);
            if (bytes > FrameLimits.MaxFrame * 2 || offset >= GpaPages.PageSize) return -1;
            list = list[8..];
            var pages = (int)((offset + bytes + GpaPages.PageSize - 1) / GpaPages.PageSize);
            if (list.Length < pages * 8 || !GatherPages(list[..(pages * 8)], (int)offset, (int)bytes, memory)) return -1;
            list = list[(pages * 8)..];
            total += (int)bytes;
            if (total > FrameLimits.MaxFrame * 2) return -1;
        }
        return total;
    }

    private bool GatherPages(ReadOnlySpan<byte> frames, int offset, int bytes, GuestMemory memory)
    {
        for (; frames.Length > 0; frames = frames[8..])
        {
            var frame = BinaryPrimitives.ReadUInt64LittleEndian(frames);
            var take = Math.Min(GpaPages.PageSize - offset, bytes);
            if (frame > ulong.MaxValue / GpaPages.PageSize) return false;
            var host = memory.Translate((frame * GpaPages.PageSize) + (ulong)offset, (ulong)take);
            if (host == null) return false;
            bytes -= take;
            offset = 0;
            if (take == 0) continue;
            // Pages that lie together become one piece, as they were before the guest cut them.
            if (_streamCount > 0 && _stream[_streamCount - 1].Base + _stream[_streamCount - 1].Length == host)
            {
                _stream[_streamCount - 1].Length += (nuint)take;
                continue;
            }
            if (_streamCount == _stream.Length) return false;
            _stream[_streamCount++] = new Segment(host, take);
        }
        return true;
    }

    /// <summary>Takes one RNDIS message and its frame.</summary>
    /// <returns>The message's length; 0 when nothing sensible can follow.</returns>
    private int AddMessage(ref Packet packet, int at, int left)
    {
        Span<byte> header = stackalloc byte[RndisFormat.PacketSize];
        if (left < header.Length || SegmentOps.CopyTo(_stream.AsSpan(0, _streamCount), at, header) < header.Length) return Bad(ref packet, DropReason.Malformed);
        var view = new PacketHeader(header);
        if (!view.IsSound(left)) return Bad(ref packet, DropReason.Malformed);
        if (_settings.IsUp) AddFrame(ref packet, at, view);
        else Refuse(ref packet, DropReason.LinkDown);
        return (int)view.MessageLength;
    }

    private int Bad(ref Packet packet, DropReason reason)
    {
        Refuse(ref packet, reason);
        return 0;
    }

    private void AddFrame(ref Packet packet, int at, in PacketHeader header)
    {
        var length = (int)header.DataLength;
        if (length < FrameLimits.EthernetHeader) { Refuse(ref packet, DropReason.Malformed); return; }
        if (length > FrameLimits.MaxFrame) { Refuse(ref packet, DropReason.TooLong); return; }
        if (!TryReadInformation(at, header, out var wishes)) { Refuse(ref packet, DropReason.Malformed); return; }
        MakeRoom(FrameLimits.MaxTxSegments + 1);
        var pieces = SegmentOps.Slice(_stream.AsSpan(0, _streamCount), at + RndisFormat.HeaderSize + (int)header.DataOffset, length, _segments.AsSpan(_segmentCount, FrameLimits.MaxTxSegments));
        if (pieces < 0) { Refuse(ref packet, DropReason.TooLong); return; }
        ref var frame = ref _frames[_frameCount];
        _hasHeader[_frameCount] = false;
        frame = new TxFrame { FirstSegment = _segmentCount, SegmentCount = pieces, Length = length };
        if (Fulfil(ref frame, wishes) is { } reason)
        {
            Refuse(ref packet, reason);
            return;
        }
        if (frame.Offload.Gso == GsoKind.None && frame.Length > _maxFrame)
        {
            if (_hasHeader[_frameCount]) _headerCount--;
            Refuse(ref packet, DropReason.TooLong);
            return;
        }
        _segmentCount += frame.SegmentCount;
        _frameCount++;
        packet.Frames++;
    }

    /// <summary>A packet message's fixed part, in a private copy.</summary>
    private readonly ref struct PacketHeader(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;

        public uint MessageLength => U32(4);

        public uint DataOffset => U32(8);

        public uint DataLength => U32(12);

        public uint InformationOffset => U32(28);

        public uint InformationLength => U32(32);

        /// <summary>Whether everything that it names lies inside it, and it inside what is there.</summary>
        public bool IsSound(int left)
        {
            if (U32(0) != (uint)RndisType.Packet || MessageLength < RndisFormat.PacketSize || MessageLength > (uint)left) return false;
            // Out-of-band data and virtual circuits belong to connections, which Ethernet has not.
            if (U32(20) != 0 || U32(36) != 0) return false;
            var room = MessageLength - RndisFormat.HeaderSize;
            return DataOffset >= RndisFormat.PacketSize - RndisFormat.HeaderSize && (ulong)DataOffset + DataLength <= room
                && (InformationLength == 0 || (InformationOffset >= RndisFormat.PacketSize - RndisFormat.HeaderSize
                    && (ulong)InformationOffset + InformationLength <= room));
        }

        private uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[at..]);
    }
}
