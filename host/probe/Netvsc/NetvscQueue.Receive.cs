using System.Buffers.Binary;
using NicHost.Contracts.Frames;
using NicHost.Linux;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Netvsc;

/// <content>Packets of the host: frames, answers, completions. Checked as real drivers check them, and a little more.</content>
public sealed unsafe partial class NetvscQueue
{
    private const ushort TransferPages = 7;
    private const ushort CompletionType = 11;
    private const int MaxPieces = 1024;

    private readonly byte[] _packet = new byte[16384];
    private readonly IoVec[] _pieces = new IoVec[MaxPieces];
    private readonly ulong[] _owed = new ulong[4096];
    private int _owedCount;
    private int _pieceCount;
    private int _partLength;
    private bool _inParts;

    /// <summary>Whether sections go back to the host when they are read; false starves it, for tests of back-pressure.</summary>
    public bool Returning { get; set; } = true;

    /// <summary>Takes frames that come while nobody else waits for them, as during a request; null throws them away.</summary>
    public IFrameSink? Sink { get; set; }

    /// <summary>What the host sent last of its own accord, such as an indirection table.</summary>
    public byte[]? LastMessage { get; private set; }

    /// <summary>Handles what the host has sent.</summary>
    /// <param name="sink">Takes frames; null stands for <see cref="Sink"/>.</param>
    /// <param name="budget">Frames at most.</param>
    /// <returns>Frames.</returns>
    public int Poll(IFrameSink? sink, int budget)
    {
        var before = FramesReceived;
        while (FramesReceived - before < budget)
        {
            var length = Channel.In.TryRead(_packet, out var signal);
            _mustSignal |= signal;
            if (length == 0) break;
            if (length < 0)
            {
                _driver.Faults.Report("rx: the ring is corrupt");
                break;
            }
            Take(_packet.AsSpan(0, length), sink);
        }
        ReturnSections();
        Flush();
        return (int)(FramesReceived - before);
    }

    /// <summary>Forgets sections that were kept back: their buffer is gone.</summary>
    public void ForgetOwed() => _owedCount = 0;

    /// <summary>Gives back all sections that were kept back.</summary>
    public void ReturnSections()
    {
        if (!Returning) return;
        Span<byte> message = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(message, 108);
        BinaryPrimitives.WriteUInt32LittleEndian(message[4..], 1);
        var told = 0;
        for (; told < _owedCount; told++)
        {
            if (!Channel.Out.TryWrite(CompletionType, _owed[told], wantsCompletion: false, [], message, out var signal)) break;
            _mustSignal |= signal;
        }
        Array.Copy(_owed, told, _owed, 0, _owedCount - told);
        _owedCount -= told;
    }

    private void Take(ReadOnlySpan<byte> packet, IFrameSink? sink)
    {
        var type = BinaryPrimitives.ReadUInt16LittleEndian(packet);
        var offset = BinaryPrimitives.ReadUInt16LittleEndian(packet[2..]) * 8;
        var transaction = BinaryPrimitives.ReadUInt64LittleEndian(packet[8..]);
        var message = packet[offset..];
        switch (type)
        {
            case CompletionType: Completed(transaction, message); break;
            case TransferPages: TakeRanges(packet[16..offset], message, transaction, sink); break;
            case InBand: LastMessage = message.ToArray(); break;
            default: _driver.Faults.Report("rx: a packet of unknown type"); break;
        }
    }

    private void TakeRanges(ReadOnlySpan<byte> header, ReadOnlySpan<byte> message, ulong transaction, IFrameSink? sink)
    {
        if (NetvscDriver.Word(message, 0) != 107 || transaction >= (ulong)_driver.SectionCount)
        {
            _driver.Faults.Report("rx: transfer pages that are no RNDIS packet, or whose number is no section");
            return;
        }
        var isControl = NetvscDriver.Word(message, 1) == 1;
        var count = (int)NetvscDriver.Word(header, 1);
        for (var i = 0; i < count; i++)
        {
            var (length, offset) = ((int)NetvscDriver.Word(header, 2 + (2 * i)), (int)NetvscDriver.Word(header, 3 + (2 * i)));
            if (length > _driver.SectionSize || offset < 0 || length < 8 || offset + (long)length > _driver.Receive!.Length)
            {
                _driver.Faults.Report("rx: a range beyond its section");
                continue;
            }
            if (isControl)
            {
                var control = new byte[length];
                _driver.Receive.CopyTo(offset, control);
                _driver.TakeControl(control);
            }
            else TakePart(offset, length, isLastRange: i == count - 1, sink);
        }
        if (_owedCount < _owed.Length) _owed[_owedCount++] = transaction;
        else _driver.Faults.Report("rx: more packets than there are sections");
    }

    private void TakePart(int offset, int length, bool isLastRange, IFrameSink? sink)
    {
        Span<byte> head = stackalloc byte[Math.Min(length, 256)];
        _driver.Receive!.CopyTo(offset, head);
        var (dataOffset, dataLength) = (NetvscDriver.Word(head, 2), NetvscDriver.Word(head, 3));
        if (NetvscDriver.Word(head, 0) != 1 || NetvscDriver.Word(head, 1) > length || dataOffset < 36 || dataLength == 0
            || 8L + dataOffset + dataLength > NetvscDriver.Word(head, 1))
        {
            _driver.Faults.Report("rx: a malformed RNDIS packet");
            return;
        }
        FrameOffload offload = default;
        var part = ReadInformation(head, ref offload);
        const int isPart = 1, isFirst = 2, isLast = 4;
        if (part != 0 && (part & isFirst) == 0 != _inParts) _driver.Faults.Report("rx: parts out of order");
        if (part == 0 || (part & isFirst) != 0) (_pieceCount, _partLength) = (0, 0);
        _pieceCount += _driver.Receive.Cover(offset + 8 + (int)dataOffset, (int)dataLength, _pieces.AsSpan(_pieceCount));
        _partLength += (int)dataLength;
        _inParts = (part & isPart) != 0 && (part & isLast) == 0;
        if (_inParts)
        {
            // hv_netvsc drops such a frame.
            if (isLastRange) _driver.Faults.Report("rx: a frame's last part is missing");
            return;
        }
        if (part != 0) MarkMerged(ref offload);
        FramesReceived++;
        (sink ?? Sink)?.Receive(new RxFrame(_pieces.AsSpan(0, _pieceCount), _partLength, offload));
    }

    /// <summary>A frame in parts was merged of many: it is longer than the MTU, and nobody says of how many.</summary>
    private void MarkMerged(ref FrameOffload offload)
    {
        offload.Gso = ((byte*)_pieces[0].Base)[12] == 0x86 ? GsoKind.TcpV6 : GsoKind.TcpV4;
        offload.SegmentSize = (ushort)(_driver.Mtu - 60);
    }

    /// <returns>Flags of a part of a merged frame, or 0.</returns>
    private int ReadInformation(ReadOnlySpan<byte> head, ref FrameOffload offload)
    {
        var (at, length) = ((int)NetvscDriver.Word(head, 7), (int)NetvscDriver.Word(head, 8));
        if (length == 0) return 0;
        if (at < 36 || at % 4 != 0 || 8 + at + length > head.Length)
        {
            _driver.Faults.Report("rx: information beyond its packet");
            return 0;
        }
        var part = 0;
        for (var rest = head.Slice(8 + at, length); rest.Length >= 16; rest = rest[(int)NetvscDriver.Word(rest, 0)..])
        {
            var (size, type, value) = (NetvscDriver.Word(rest, 0), NetvscDriver.Word(rest, 1), NetvscDriver.Word(rest, 3));
            if (size < 16 || size > rest.Length || size % 4 != 0)
            {
                _driver.Faults.Report("rx: malformed information");
                break;
            }
            switch (type)
            {
                case 0: if ((value & 0x18) != 0) offload.Checksum = ChecksumState.Verified; break;
                case 6:
                    offload.Flags |= FrameFlags.Vlan;
                    offload.VlanTci = (ushort)(((value & 7) << 13) | (((value >> 3) & 1) << 12) | ((value >> 4) & 0xfff));
                    break;
                case 8:
                    offload.Flags |= FrameFlags.Hash;
                    offload.Hash = value;
                    break;
                case 0x8000_0001: part = (int)(value >> 8) & 0xff; break;
            }
        }
        return part;
    }
}
