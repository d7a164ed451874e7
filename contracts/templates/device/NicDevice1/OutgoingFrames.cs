using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Memory;
using NicHost.Linux;

namespace NicDevice1;

/// <summary>
/// A ring of buffers for frames on their way to the guest: reserved, then committed, then written to the socket, always in that order. Each
/// buffer has the frame's length before the frame, so that a run of frames is one system call.
/// </summary>
internal sealed unsafe class OutgoingFrames
{
    private const int Prefix = sizeof(int);
    private const int Slots = 256;

    private readonly int _slotSize;
    private readonly byte* _memory;
    private readonly byte[] _array;
    private readonly int[] _lengths = new int[Slots];
    private readonly IoVec[] _vectors = new IoVec[Slots];
    private int _first;
    private int _reserved;
    private int _sentOfFirst;

    public OutgoingFrames(int maxFrame)
    {
        _slotSize = Prefix + maxFrame;
        _array = GC.AllocateUninitializedArray<byte>(Slots * _slotSize, pinned: true);
        // Pinned: it stays where it is for as long as this object holds it.
        _memory = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array));
    }

    /// <summary>Frames to be written.</summary>
    public int Committed { get; private set; }

    public bool IsFull => Committed + _reserved == Slots;

    public bool TryReserve(int length, Span<Segment> segments, out RxTicket ticket)
    {
        ticket = default;
        if (IsFull || length > _slotSize - Prefix) return false;
        var slot = (_first + Committed + _reserved) % Slots;
        // SAFETY: slot < Slots, and Prefix + length <= _slotSize.
        segments[0] = new Segment(_memory + (slot * _slotSize) + Prefix, length);
        ticket = new RxTicket(slot, 1);
        _reserved++;
        return true;
    }

    public void Commit(RxTicket ticket, int length)
    {
        BinaryPrimitives.WriteInt32BigEndian(_array.AsSpan(ticket.First * _slotSize), length);
        _lengths[ticket.First] = Prefix + length;
        _reserved--;
        Committed++;
    }

    // Those after it are released, too: the last one is as good as any.
    public void Release() => _reserved--;

    /// <summary>Writes what the socket takes.</summary>
    public SysResult WriteTo(int socket)
    {
        for (var i = 0; i < Committed; i++)
        {
            var slot = (_first + i) % Slots;
            var skip = i == 0 ? _sentOfFirst : 0;
            // SAFETY: skip < _lengths[slot] <= _slotSize.
            _vectors[i] = new IoVec(_memory + (slot * _slotSize) + skip, _lengths[slot] - skip);
        }
        var written = Io.WriteV(socket, _vectors.AsSpan(0, Committed));
        if (written.Ok) Sent(written.Count);
        return written;
    }

    private void Sent(int bytes)
    {
        bytes += _sentOfFirst;
        while (Committed > 0 && bytes >= _lengths[_first])
        {
            bytes -= _lengths[_first];
            _first = (_first + 1) % Slots;
            Committed--;
        }
        _sentOfFirst = bytes;
    }
}
