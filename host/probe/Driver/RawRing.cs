using System.Runtime.InteropServices;
using NicHost.Probe.Frontend;

namespace NicHost.Probe.Driver;

/// <summary>A descriptor of a split ring (virtio 1.2, 2.7.5).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RingDescriptor
{
    public const ushort Next = 1;
    public const ushort Write = 2;
    public const ushort Indirect = 4;

    public ulong Address;
    public uint Length;
    public ushort Flags;
    public ushort NextIndex;
}

/// <summary>An element of the used ring (virtio 1.2, 2.7.8).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct UsedElement
{
    public uint Id;
    public uint Length;
}

/// <summary>
/// A split ring as bytes in guest memory, with every field open to be read and written: queues build on it, hostile tests lie with it.
/// Nothing here checks what is written.
/// </summary>
public sealed unsafe class RawRing
{
    /// <summary>Lays out a ring in fresh guest memory.</summary>
    /// <param name="ram">Where.</param>
    /// <param name="size">Number of descriptors, a power of two for an honest driver.</param>
    public RawRing(GuestRam ram, int size)
    {
        Ram = ram;
        Size = size;
        Descriptors = (RingDescriptor*)ram.Allocate(size * sizeof(RingDescriptor), 64);
        Avail = (ushort*)ram.Allocate(6 + (2 * size), 64);
        Used = ram.Allocate(6 + (8 * size), 64);
    }

    /// <summary>The memory that the ring lies in.</summary>
    public GuestRam Ram { get; }

    /// <summary>Number of descriptors.</summary>
    public int Size { get; }

    /// <summary>The descriptor table.</summary>
    public RingDescriptor* Descriptors { get; }

    /// <summary>The available ring: flags, idx, ring[Size], used_event.</summary>
    public ushort* Avail { get; }

    /// <summary>The used ring: flags, idx, ring[Size], avail_event.</summary>
    public byte* Used { get; }

    /// <summary>avail.flags: 1 asks for no interrupts (without EVENT_IDX).</summary>
    public ref ushort AvailFlags => ref Avail[0];

    /// <summary>avail.idx.</summary>
    public ref ushort AvailIndex => ref Avail[1];

    /// <summary>used_event: the used index at which the driver wants an interrupt.</summary>
    public ref ushort UsedEvent => ref Avail[2 + Size];

    /// <summary>used.flags: 1 asks for no kicks (without EVENT_IDX).</summary>
    public ref ushort UsedFlags => ref ((ushort*)Used)[0];

    /// <summary>used.idx.</summary>
    public ref ushort UsedIndex => ref ((ushort*)Used)[1];

    /// <summary>avail_event: the available index at which the device wants a kick.</summary>
    public ref ushort AvailEvent => ref ((ushort*)Used)[2 + (4 * Size)];

    /// <summary>avail.ring[i mod Size].</summary>
    public ref ushort AvailEntry(int i) => ref Avail[2 + (i & (Size - 1))];

    /// <summary>used.ring[i mod Size].</summary>
    public ref UsedElement UsedEntry(int i) => ref ((UsedElement*)(Used + 4))[i & (Size - 1)];

    /// <summary>Fills one descriptor with a place in guest memory.</summary>
    public void Describe(int index, void* place, int length, ushort flags, ushort next = 0) =>
        DescribeRaw(index, Ram.ToGuest(place), (uint)length, flags, next);

    /// <summary>Fills one descriptor with anything.</summary>
    public void DescribeRaw(int index, ulong address, uint length, ushort flags, ushort next)
    {
        // SAFETY: the table has Size entries; index is the caller's, who owns the ring (tests included).
        Descriptors[index] = new RingDescriptor { Address = address, Length = length, Flags = flags, NextIndex = next };
    }

    /// <summary>Makes entries up to <paramref name="index"/> visible to the device.</summary>
    public void PublishAvail(ushort index) => Volatile.Write(ref AvailIndex, index);

    /// <summary>Zeroes everything, as a driver does before it starts a queue.</summary>
    public void Clear()
    {
        // SAFETY: the lengths are those of the allocations above.
        new Span<byte>(Descriptors, Size * sizeof(RingDescriptor)).Clear();
        new Span<byte>(Avail, 6 + (2 * Size)).Clear();
        new Span<byte>(Used, 6 + (8 * Size)).Clear();
    }

    /// <summary>Whether an event index asks for a notification when an index moved (virtio 1.2, 2.7.10.1).</summary>
    public static bool NeedsEvent(ushort eventIndex, ushort newIndex, ushort oldIndex) =>
        (ushort)(newIndex - eventIndex - 1) < (ushort)(newIndex - oldIndex);
}
