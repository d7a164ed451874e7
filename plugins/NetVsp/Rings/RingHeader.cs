using System.Runtime.InteropServices;

namespace NicHost.NetVsp.Rings;

/// <summary>The control page of a ring, as far as it is used.</summary>
[StructLayout(LayoutKind.Explicit)]
internal struct RingControl
{
    /// <summary>Where the producer goes on, in bytes.</summary>
    [FieldOffset(0)] public uint WriteIndex;

    /// <summary>Where the consumer goes on, in bytes.</summary>
    [FieldOffset(4)] public uint ReadIndex;

    /// <summary>The consumer wants no signal while this is not 0.</summary>
    [FieldOffset(8)] public uint InterruptMask;

    /// <summary>The producer waits for so many bytes of room.</summary>
    [FieldOffset(12)] public uint PendingSendSize;

    /// <summary>Bit 0: the consumer minds <see cref="PendingSendSize"/>.</summary>
    [FieldOffset(64)] public uint Features;
}

/// <summary>The start of each packet in a ring.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct PacketDescriptor
{
    /// <summary>Bytes of this structure.</summary>
    public const int Size = 16;

    /// <summary>Bytes after each packet: where it started.</summary>
    public const int FooterSize = 8;

    public PacketType Type;

    /// <summary>Where the payload starts, in units of 8 bytes.</summary>
    public ushort DataOffset8;

    /// <summary>Bytes of the whole packet without footer, in units of 8.</summary>
    public ushort Length8;

    /// <summary>Bit 0: a completion is wanted.</summary>
    public ushort Flags;

    /// <summary>The sender's own.</summary>
    public ulong TransactionId;

    public readonly bool WantsCompletion => (Flags & 1) != 0;
}

/// <summary>Kinds of packets in a ring.</summary>
internal enum PacketType : ushort
{
    /// <summary>Payload only.</summary>
    InBand = 6,

    /// <summary>Ranges of a buffer that was agreed on before: how frames go to the guest.</summary>
    TransferPages = 7,

    /// <summary>Ranges of guest memory.</summary>
    GpaDirect = 9,

    /// <summary>Answer to a packet that wanted one.</summary>
    Completion = 11,
}
