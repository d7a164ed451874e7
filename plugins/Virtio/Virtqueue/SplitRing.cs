using NicHost.Contracts.Memory;

namespace NicHost.Virtio.Virtqueue;

/// <summary>
/// The split ring of virtio 1.2, section 2.7. Its three areas are translated and checked once, when the ring starts; what the guest writes
/// into them is read once per use and checked.
/// </summary>
internal sealed unsafe partial class SplitRing : Virtqueue
{
    private readonly GuestMemory _memory;
    private readonly SplitDescriptor* _descriptors;
    private readonly ushort* _avail;
    private readonly ushort* _used;
    private readonly UsedElement* _usedRing;
    private readonly int _size;
    private readonly ushort _mask;
    private readonly bool _eventIndex;
    private readonly bool _indirect;
    private ushort _nextAvail;
    private ushort _seenAvail;
    private ushort _nextUsed;
    private ushort _notifiedUsed;
    private bool _mustNotify = true;
    private int _inFlight;

    private SplitRing(GuestMemory memory, int size, byte* descriptors, byte* avail, byte* used, RingFeatures features, ushort next)
    {
        _memory = memory;
        _size = size;
        _mask = (ushort)(size - 1);
        _descriptors = (SplitDescriptor*)descriptors;
        _avail = (ushort*)avail;
        _used = (ushort*)used;
        _usedRing = (UsedElement*)(used + 4);
        _eventIndex = features.HasFlag(RingFeatures.EventIndex);
        _indirect = features.HasFlag(RingFeatures.Indirect);
        _nextAvail = _seenAvail = next;
        // The used index lives in guest memory only: a front-end that goes on after another back-end expects it to go on there.
        _nextUsed = _notifiedUsed = Volatile.Read(ref _used[1]);
    }

    public override int Size => _size;
    public override ushort NextAvailable => _nextAvail;
    public override ushort NextUsed => _nextUsed;
    public override int InFlight => _inFlight;

    private ref ushort AvailIndex => ref _avail[1];
    private ref ushort UsedEvent => ref _avail[2 + _size];
    private ref ushort AvailEvent => ref *(ushort*)(_usedRing + _size);

    /// <summary>Starts a ring where the front-end says it is.</summary>
    /// <returns>Null with a reason when it cannot be there.</returns>
    public static SplitRing? TryCreate(GuestMemory memory, in SplitRingAddresses at, RingFeatures features, ushort next, out string? fault)
    {
        fault = null;
        if (at.Size is < 1 or > SplitLayout.MaxSize || (at.Size & (at.Size - 1)) != 0)
        {
            fault = $"ring size {at.Size} is not a power of two up to {SplitLayout.MaxSize}";
            return null;
        }
        var eventIndex = features.HasFlag(RingFeatures.EventIndex);
        var descriptors = memory.TranslateUser(at.Descriptors, SplitLayout.DescriptorBytes(at.Size));
        var avail = memory.TranslateUser(at.Available, SplitLayout.AvailBytes(at.Size, eventIndex));
        var used = memory.TranslateUser(at.Used, SplitLayout.UsedBytes(at.Size, eventIndex));
        fault = Place("descriptor table", at.Descriptors, descriptors, 16)
            ?? Place("available ring", at.Available, avail, 2)
            ?? Place("used ring", at.Used, used, 4);
        return fault is null ? new SplitRing(memory, at.Size, descriptors, avail, used, features, next) : null;
    }

    // SAFETY (all members): _descriptors, _avail and _used were translated with the sizes that SplitLayout gives for _size entries, and the
    // device stops the ring before it unmaps the memory; every index into them is masked by _mask or is one of the fixed places.

    public override bool TryPop(out ushort head)
    {
        head = 0;
        if (_nextAvail == _seenAvail && !Refresh()) return false;
        var entry = _avail[2 + (_nextAvail & _mask)];
        if (entry >= _size) return Fail($"available entry {_nextAvail & _mask} names descriptor {entry} of {_size}");
        _nextAvail++;
        _inFlight++;
        head = entry;
        return true;
    }

    public override void Rewind(int count)
    {
        _nextAvail -= (ushort)count;
        _inFlight -= count;
    }

    public override void Complete(ushort head, uint written)
    {
        var element = _usedRing + (_nextUsed & _mask);
        element->Id = head;
        element->Length = written;
        _nextUsed++;
        _inFlight--;
    }

    public override void Publish() => Volatile.Write(ref _used[1], _nextUsed);

    public override bool ShouldNotify()
    {
        var old = _notifiedUsed;
        if (_nextUsed == old) return false;
        // 2.7.7.2: the used index must be visible before the guest's wish is read, or both sides wait for each other.
        Interlocked.MemoryBarrier();
        _notifiedUsed = _nextUsed;
        if (!_eventIndex) return (Volatile.Read(ref _avail[0]) & SplitLayout.AvailNoInterrupt) == 0;
        var wanted = Volatile.Read(ref UsedEvent);
        var passed = (ushort)(_nextUsed - wanted - 1) < (ushort)(_nextUsed - old) || _mustNotify;
        _mustNotify = false;
        return passed;
    }

    public override bool EnableKicks()
    {
        if (_eventIndex) Volatile.Write(ref AvailEvent, _nextAvail);
        else Volatile.Write(ref _used[0], 0);
        // 2.7.10.1: the wish must be visible before the index is read again.
        Interlocked.MemoryBarrier();
        return Fault is null && Volatile.Read(ref AvailIndex) != _nextAvail;
    }

    public override void DisableKicks()
    {
        // With EVENT_IDX the old event index lies behind and asks for nothing.
        if (!_eventIndex) Volatile.Write(ref _used[0], SplitLayout.UsedNoNotify);
    }

    private bool Refresh()
    {
        if (Fault is not null) return false;
        var index = Volatile.Read(ref AvailIndex);
        var pending = (ushort)(index - _nextAvail);
        if (pending + _inFlight > _size)
            return Fail($"available index {index} is {pending} ahead of {_nextAvail} with {_inFlight} chains in use, in a ring of {_size}");
        _seenAvail = index;
        return pending > 0;
    }

    public override bool Fail(string reason)
    {
        Fault ??= reason;
        _seenAvail = _nextAvail;
        return false;
    }

    private static string? Place(string area, ulong address, byte* host, uint alignment)
    {
        if (host == null) return $"the {area} at 0x{address:x} is not inside the memory table";
        return ((nuint)host & (alignment - 1)) == 0 ? null : $"the {area} at 0x{address:x} is not aligned to {alignment} bytes";
    }
}
