using System.Runtime.InteropServices;

namespace NicHost.Virtio.Virtqueue;

/// <summary>A descriptor of a split ring (virtio 1.2, 2.7.5), little-endian like both machines we run on.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SplitDescriptor
{
    public const int Size = 16;
    public const ushort FlagNext = 1;
    public const ushort FlagWrite = 2;
    public const ushort FlagIndirect = 4;

    public ulong Address;
    public uint Length;
    public ushort Flags;
    public ushort Next;
}

/// <summary>An element of the used ring (2.7.8).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UsedElement
{
    public uint Id;
    public uint Length;
}

/// <summary>Sizes and places inside a split ring's three areas (2.7).</summary>
internal static class SplitLayout
{
    public const int MaxSize = 32768;
    public const ushort AvailNoInterrupt = 1;
    public const ushort UsedNoNotify = 1;

    public static ulong DescriptorBytes(int size) => (ulong)size * SplitDescriptor.Size;

    /// <summary>flags, idx, ring, and used_event when EVENT_IDX was negotiated.</summary>
    public static ulong AvailBytes(int size, bool eventIndex) => 4 + (2 * (ulong)size) + (eventIndex ? 2ul : 0);

    /// <summary>flags, idx, ring, and avail_event when EVENT_IDX was negotiated.</summary>
    public static ulong UsedBytes(int size, bool eventIndex) => 4 + (8 * (ulong)size) + (eventIndex ? 2ul : 0);
}

/// <summary>Where a split ring lies, in the front-end's own addresses, and where it goes on.</summary>
internal readonly record struct SplitRingAddresses(int Size, ulong Descriptors, ulong Available, ulong Used);

/// <summary>What was negotiated about the rings themselves.</summary>
[Flags]
internal enum RingFeatures
{
    None = 0,
    Indirect = 1,
    EventIndex = 2,
    InOrder = 4,
}
