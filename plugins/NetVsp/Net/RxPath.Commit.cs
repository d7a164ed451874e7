using System.Buffers.Binary;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Nics;
using NicHost.Contracts.Offload;
using NicHost.NetVsp.Nvsp;
using NicHost.NetVsp.Rings;
using NicHost.NetVsp.Rndis;

namespace NicHost.NetVsp.Net;

/// <content>Commits: the RNDIS header of each section is written when it is known how much the frame took.</content>
internal sealed unsafe partial class RxPath
{
    private const uint ChecksumTcpGood = 1 << 3;
    private const uint ChecksumUdpGood = 1 << 4;
    private const uint ChecksumIpGood = 1 << 5;

    private const byte PacketIdVersion = 1;
    private const byte IsPart = 1;
    private const byte IsFirst = 2;
    private const byte IsLast = 4;

    // Where a range's header in a section starts: information grows from here towards the frame.
    private const int FirstPpi = RndisFormat.PacketSize;

    private readonly int[] _taken = new int[MaxRanges];
    private readonly Segment[] _pieces = new Segment[FrameLimits.MaxRxSegments];

    /// <summary>Puts a filled frame into the batch of the channel that the guest's RSS setting names, which is mostly this one.</summary>
    /// <returns>The path whose batch it went to: it has to be written, too.</returns>
    public RxPath Commit(RxTicket ticket, int length, FrameOffload offload)
    {
        var reservation = Close(ticket);
        if ((uint)(length - 1) >= (uint)reservation.Length) throw new InvalidOperationException("More was committed than reserved.");
        var used = (length + _payload - 1) / _payload;
        for (var i = 0; i < reservation.Sections; i++)
        {
            var section = NextReserved();
            if (i < used) _taken[i] = section;
            else _pool.Return(section);
        }
        var sections = _taken.AsSpan(0, used);
        // SAFETY: a section starts at a multiple of 128 bytes, so its headroom lies in one page, and as much of the frame's start does.
        var head = new ReadOnlySpan<byte>(_buffer!.At((sections[0] * _sectionSize) + Headroom), Math.Min(length, FlowHash.HeaderBytes));
        if (head.Length >= MacAddress.Size && !_settings.Wants(new MacAddress(head)))
        {
            foreach (var section in sections) _pool.Return(section);
            counters.DropRx(DropReason.NotForUs);
            return this;
        }
        var path = this;
        if (_settings.Rss is { } rss && FlowHash.TryCompute(head, rss, out var hash))
        {
            offload.Flags |= FrameFlags.Hash;
            offload.Hash = hash;
            path = Steer(rss.ChannelOf(hash), sections);
        }
        path.Append(sections, length, offload);
        return path;
    }

    /// <summary>Another channel of the same loop takes the sections over, if it can; on another loop the frame stays where its flow is.</summary>
    private RxPath Steer(int channel, ReadOnlySpan<int> sections)
    {
        if (_siblings(channel) is not { } other || !ReferenceEquals(other._buffer, _buffer)) return this;
        if (other._pool.Available < sections.Length || !other.HasRoomFor(sections.Length)) return this;
        foreach (var section in sections) _pool.Exchange(section, other._pool);
        return other;
    }

    private void Append(ReadOnlySpan<int> sections, int length, in FrameOffload offload)
    {
        if (_batchCount + sections.Length > MaxRanges) WriteBatch();
        var first = _batchCount;
        for (var i = 0; i < sections.Length; i++)
        {
            _batch[_batchCount] = sections[i];
            _batchLengths[_batchCount++] = Headroom + Math.Min(_payload, length - (i * _payload));
        }
        var checksum = ChecksumInfo(first, length, offload);
        // A merged frame says so even where it fits one section: it may be longer than the MTU.
        if (sections.Length == 1 && offload.Gso == GsoKind.None) WriteHeader(sections[0], length, checksum, offload, part: 0);
        else WriteParts(first, sections.Length, length, checksum, offload);
        counters.RxFrames++;
        counters.RxBytes += length;
    }

    private void WriteParts(int first, int used, int length, uint checksum, in FrameOffload offload)
    {
        _packetId++;
        for (var i = 0; i < used; i++)
        {
            var flags = IsPart | (i == 0 ? IsFirst : 0) | (i == used - 1 ? IsLast : 0);
            WriteHeader(_batch[first + i], Math.Min(_payload, length - (i * _payload)), checksum, offload, (byte)flags);
        }
    }

    private void WriteHeader(int section, int length, uint checksum, in FrameOffload offload, byte part)
    {
        // SAFETY: Headroom bytes of one page, see above; four informations of 16 bytes fit behind the fixed part.
        var start = (uint*)_buffer!.At(section * _sectionSize);
        var header = new Span<uint>(start, Headroom / sizeof(uint));
        header.Clear();
        var at = FirstPpi / sizeof(uint);
        if (checksum != 0) AddInformation(header, ref at, PpiType.Checksum, checksum);
        if (offload.Flags.Has(FrameFlags.Vlan)) AddInformation(header, ref at, PpiType.Vlan, VlanInfo(offload.VlanTci));
        if (offload.Flags.Has(FrameFlags.Hash)) AddInformation(header, ref at, PpiType.HashValue, offload.Hash);
        if (part != 0) AddInformation(header, ref at, PpiType.PacketId, PacketIdVersion | ((uint)part << 8) | ((uint)_packetId << 16));
        header[0] = (uint)RndisType.Packet;
        header[1] = (uint)(Headroom + length);
        header[2] = Headroom - RndisFormat.HeaderSize;
        header[3] = (uint)length;
        if (at == FirstPpi / sizeof(uint)) return;
        header[7] = FirstPpi - RndisFormat.HeaderSize;
        header[8] = (uint)((at * sizeof(uint)) - FirstPpi);
    }

    private static void AddInformation(Span<uint> header, ref int at, PpiType type, uint value)
    {
        header[at++] = RndisFormat.PpiHeader + sizeof(uint);
        header[at++] = (uint)type;
        header[at++] = RndisFormat.PpiHeader;
        header[at++] = value;
    }

    /// <summary>802.1Q's priority comes last in the tag and first here.</summary>
    private static uint VlanInfo(ushort tci) => (uint)((tci >> 13) | (((tci >> 12) & 1) << 3) | ((tci & 0xfff) << 4));

    /// <summary>
    /// What the guest need not check. NDIS knows no checksum that is still open: one that is gets completed, unless the frame is one that was
    /// put together of many, whose field means nothing to anybody.
    /// </summary>
    private uint ChecksumInfo(int first, int length, in FrameOffload offload)
    {
        if (offload.Checksum == ChecksumState.Unknown || !_accepted.Has(OffloadSet.Checksum)) return 0;
        var head = new ReadOnlySpan<byte>(_buffer!.At((_batch[first] * _sectionSize) + Headroom), Math.Min(length, 64));
        if (offload.Checksum == ChecksumState.Partial && offload.Gso == GsoKind.None)
        {
            var count = 0;
            for (var i = first; i < _batchCount; i++)
                count += Math.Max(0, _buffer.Cover((_batch[i] * _sectionSize) + Headroom, _batchLengths[i] - Headroom, _pieces.AsSpan(count)));
            PartialChecksum.Complete(_pieces.AsSpan(0, count), length, offload.ChecksumStart, offload.ChecksumOffset);
        }
        return head.Length < 54 ? 0 : (BinaryPrimitives.ReadUInt16BigEndian(head[12..]), head[23], head[20]) switch
        {
            (0x0800, 6, _) => ChecksumIpGood | ChecksumTcpGood,
            (0x0800, 17, _) => ChecksumIpGood | ChecksumUdpGood,
            (0x86dd, _, 6) => ChecksumTcpGood,
            (0x86dd, _, 17) => ChecksumUdpGood,
            _ => 0,
        };
    }

    /// <summary>Sends a control message in a section of the queue's reserve. There is room.</summary>
    public void WriteControl(int section, ReadOnlySpan<byte> message)
    {
        _buffer!.CopyFrom(section * _sectionSize, message);
        WritePacket(NvspFormat.ControlChannel, [section], [message.Length]);
    }

    private void WritePacket(uint channel, ReadOnlySpan<int> sections, ReadOnlySpan<int> lengths)
    {
        var header = _rangeHeader.AsSpan(0, 8 + (8 * sections.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(header, NvspFormat.ReceiveBufferId);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], sections.Length);
        for (var i = 0; i < sections.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(header[(8 + (8 * i))..], lengths[i]);
            BinaryPrimitives.WriteInt32LittleEndian(header[(12 + (8 * i))..], sections[i] * _sectionSize);
        }
        Span<byte> message = stackalloc byte[NvspFormat.MessageSize];
        message.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)NvspType.SendRndisPacket);
        BinaryPrimitives.WriteUInt32LittleEndian(message[4..], channel);
        BinaryPrimitives.WriteUInt32LittleEndian(message[8..], NvspFormat.NoSection);
        _ring!.Write(PacketType.TransferPages, wantsCompletion: true, (ulong)sections[0], header, message);
    }
}
