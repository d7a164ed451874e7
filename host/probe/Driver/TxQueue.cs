using NicHost.Contracts.Frames;
using NicHost.Linux;
using NicHost.Probe.Frontend;

namespace NicHost.Probe.Driver;

/// <summary>
/// The sending side of a queue pair. Each slot owns a buffer for the header (or a whole short frame) and has room for one more
/// descriptor: payload goes by reference. Nothing is allocated and nothing copied per frame but headers. One thread.
/// </summary>
public sealed unsafe class TxQueue : IDisposable
{
    /// <summary>Bytes of a slot's buffer, virtio header included.</summary>
    public const int SlotSize = 2048;

    private const int Portion = 16;
    private const int BigSize = VirtioNetHeader.Size + FrameLimits.MaxFrame + 63;
    private const int BigCount = 8;

    private readonly byte* _buffers;
    private readonly byte* _bigBuffers;
    private readonly sbyte[] _bigOf;
    private readonly sbyte[] _bigFree = new sbyte[BigCount];
    private int _bigFreeCount;
    private sbyte _begunBig;
    private readonly RingDescriptor* _tables;
    private readonly ushort[] _free;
    private readonly bool _indirect;
    private readonly bool _eventIndex;
    private readonly FaultLog _faults;
    private readonly bool[] _busy;
    private int _freeCount;
    private ushort _avail;
    private ushort _kicked;
    private ushort _used;

    /// <summary>Lays the queue out in guest memory.</summary>
    public TxQueue(GuestRam ram, int size, VirtioFeatures features, FaultLog faults)
    {
        Ring = new RawRing(ram, size);
        _faults = faults;
        _indirect = (features & VirtioFeatures.IndirectDesc) != 0;
        _eventIndex = (features & VirtioFeatures.EventIdx) != 0;
        Slots = _indirect ? size : size / 2;
        _buffers = ram.Allocate(Slots * SlotSize, 4096);
        if (_indirect) _tables = (RingDescriptor*)ram.Allocate(Slots * 2 * sizeof(RingDescriptor), 64);
        _free = new ushort[Slots];
        _busy = new bool[Slots];
        _bigOf = new sbyte[Slots];
        _bigBuffers = ram.Allocate(BigCount * BigSize, 4096);
        Reset();
    }

    /// <summary>The ring.</summary>
    public RawRing Ring { get; }

    /// <summary>Frames that fit at a time.</summary>
    public int Slots { get; }

    /// <summary>Signalled by us.</summary>
    public EventFd Kick { get; } = new();

    /// <summary>Signalled by the device.</summary>
    public EventFd Call { get; } = new();

    /// <summary>Frames sent.</summary>
    public long Frames { get; private set; }

    /// <summary>Frames' bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Kicks given.</summary>
    public long Kicks { get; private set; }

    /// <summary>Whether the last frame found no room.</summary>
    public bool Starved { get; private set; }

    /// <summary>Frames that the device has not yet finished.</summary>
    public int InFlight => Slots - _freeCount;

    /// <summary>Room for the next frame. Few long frames at a time: what is long should be a tail in place.</summary>
    /// <returns>False when every slot is in flight.</returns>
    public bool TryBegin(int length, out Span<byte> room)
    {
        room = default;
        Starved = _freeCount == 0 && Reclaim() == 0;
        if (Starved) return false;
        _begunBig = -1;
        if (length <= SlotSize - VirtioNetHeader.Size)
        {
            // SAFETY: slots are below Slots; each has SlotSize bytes.
            room = new Span<byte>(_buffers + (_free[_freeCount - 1] * SlotSize) + VirtioNetHeader.Size, SlotSize - VirtioNetHeader.Size);
            return true;
        }
        if (_bigFreeCount == 0) Reclaim();
        Starved = _bigFreeCount == 0;
        if (Starved || length > BigSize - VirtioNetHeader.Size) return false;
        _begunBig = _bigFree[_bigFreeCount - 1];

        // SAFETY: the free list holds numbers below BigCount.
        room = new Span<byte>(_bigBuffers + (_begunBig * BigSize) + VirtioNetHeader.Size, BigSize - VirtioNetHeader.Size);
        return true;
    }

    /// <summary>Puts the frame into the ring; <see cref="Flush"/> shows it to the device.</summary>
    public void Send(int length, byte* tail, int tailLength, in FrameOffload offload)
    {
        var slot = _free[--_freeCount];
        _busy[slot] = true;
        var buffer = _begunBig < 0 ? _buffers + (slot * SlotSize) : _bigBuffers + (_begunBig * BigSize);
        _bigOf[slot] = _begunBig;
        if (_begunBig >= 0) _bigFreeCount--;

        // SAFETY: the slot is ours until the device returns it.
        *(VirtioNetHeader*)buffer = VirtioNetHeader.From(offload);
        var head = _indirect ? slot : slot * 2;
        var table = _indirect ? _tables + (slot * 2) : Ring.Descriptors + head;
        var follow = (ushort)(_indirect ? 1 : head + 1);
        table[0] = new RingDescriptor
        {
            Address = Ring.Ram.ToGuest(buffer),
            Length = (uint)(VirtioNetHeader.Size + length),
            Flags = tailLength > 0 ? RingDescriptor.Next : (ushort)0,
            NextIndex = follow,
        };
        if (tailLength > 0) table[1] = new RingDescriptor { Address = Ring.Ram.ToGuest(tail), Length = (uint)tailLength };
        if (_indirect) Ring.Describe(slot, table, (tailLength > 0 ? 2 : 1) * sizeof(RingDescriptor), RingDescriptor.Indirect);
        Ring.AvailEntry(_avail++) = (ushort)head;
        Frames++;
        Bytes += length + tailLength;

        // In portions, so that the device works while we write.
        if ((ushort)(_avail - _kicked) >= Portion) Flush();
    }

    /// <summary>Shows new frames to the device and kicks it if it asks for that.</summary>
    public void Flush()
    {
        if (_avail == _kicked) return;
        Ring.PublishAvail(_avail);

        // The index must be visible before we read whether a kick is wanted (virtio 1.2, 2.7.13.4.1).
        Interlocked.MemoryBarrier();
        var wanted = _eventIndex
            ? RawRing.NeedsEvent(Volatile.Read(ref Ring.AvailEvent), _avail, _kicked)
            : (Volatile.Read(ref Ring.UsedFlags) & 1) == 0;
        _kicked = _avail;
        if (!wanted) return;
        Kicks++;
        Kick.Signal();
    }

    /// <summary>Takes finished slots back.</summary>
    /// <returns>How many.</returns>
    public int Reclaim()
    {
        var index = Volatile.Read(ref Ring.UsedIndex);
        var count = 0;
        if ((ushort)(index - _used) > Slots) _faults.Report("tx: used index jumped");
        for (; _used != index; _used++)
        {
            var head = Ring.UsedEntry(_used).Id;
            var slot = _indirect ? head : head / 2;
            if (slot >= Slots || !_busy[slot] || (!_indirect && (head & 1) != 0))
            {
                _faults.Report("tx: used element names no frame in flight");
                continue;
            }
            _busy[slot] = false;
            _free[_freeCount++] = (ushort)slot;
            if (_bigOf[slot] >= 0) _bigFree[_bigFreeCount++] = _bigOf[slot];
            count++;
        }
        return count;
    }

    /// <summary>Asks for an interrupt when a frame is finished, or for none.</summary>
    public void WantCall(bool want)
    {
        if (_eventIndex) Volatile.Write(ref Ring.UsedEvent, want ? (ushort)(_used + (InFlight / 2)) : (ushort)(_used - 1));
        else Volatile.Write(ref Ring.AvailFlags, want ? (ushort)0 : (ushort)1);
        Interlocked.MemoryBarrier();
    }

    /// <summary>Forgets everything in flight, as after a device reset.</summary>
    public void Reset()
    {
        Ring.Clear();
        _avail = _kicked = _used = 0;
        _freeCount = Slots;
        for (var i = 0; i < Slots; i++) _free[i] = (ushort)(Slots - 1 - i);
        Array.Clear(_busy);
        _bigFreeCount = BigCount;
        for (var i = 0; i < BigCount; i++) _bigFree[i] = (sbyte)i;
        WantCall(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kick.Dispose();
        Call.Dispose();
    }
}
