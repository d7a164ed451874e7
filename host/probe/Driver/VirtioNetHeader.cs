using System.Runtime.InteropServices;
using NicHost.Contracts.Frames;

namespace NicHost.Probe.Driver;

/// <summary>The header before each frame (virtio 1.2, 5.1.6); 12 bytes with VERSION_1 or MRG_RXBUF, else 10. Little-endian, as we are.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct VirtioNetHeader
{
    public const int Size = 12;
    public const int LegacySize = 10;

    public const byte NeedsCsum = 1;
    public const byte DataValid = 2;

    public const byte GsoNone = 0;
    public const byte GsoTcpV4 = 1;
    public const byte GsoUdp = 3;
    public const byte GsoTcpV6 = 4;
    public const byte GsoUdpL4 = 5;
    public const byte GsoEcn = 0x80;

    public byte Flags;
    public byte GsoType;
    public ushort HeaderLength;
    public ushort GsoSize;
    public ushort ChecksumStart;
    public ushort ChecksumOffset;
    public ushort BufferCount;

    /// <summary>The header that says what an offload record says.</summary>
    public static VirtioNetHeader From(in FrameOffload offload)
    {
        VirtioNetHeader header = default;
        if (offload.Checksum == ChecksumState.Partial)
        {
            header.Flags = NeedsCsum;
            header.ChecksumStart = offload.ChecksumStart;
            header.ChecksumOffset = offload.ChecksumOffset;
        }
        if (offload.Gso == GsoKind.None) return header;
        header.GsoType = offload.Gso switch { GsoKind.TcpV4 => GsoTcpV4, GsoKind.TcpV6 => GsoTcpV6, _ => GsoUdpL4 };
        if ((offload.Flags & FrameFlags.Ecn) != 0) header.GsoType |= GsoEcn;
        header.GsoSize = offload.SegmentSize;
        header.HeaderLength = offload.HeaderLength;
        return header;
    }

    /// <summary>The offload record that this header says; false when it says something that no device may say.</summary>
    public readonly bool TryRead(out FrameOffload offload)
    {
        offload = default;
        if ((Flags & NeedsCsum) != 0)
        {
            offload.Checksum = ChecksumState.Partial;
            offload.ChecksumStart = ChecksumStart;
            offload.ChecksumOffset = ChecksumOffset;
        }
        else if ((Flags & DataValid) != 0)
        {
            offload.Checksum = ChecksumState.Verified;
        }
        if (GsoType == GsoNone) return true;
        if (GsoSize == 0) return false;
        switch (GsoType & ~GsoEcn)
        {
            case GsoTcpV4: offload.Gso = GsoKind.TcpV4; break;
            case GsoTcpV6: offload.Gso = GsoKind.TcpV6; break;
            case GsoUdpL4: offload.Gso = GsoKind.Udp; break;
            default: return false;
        }
        if ((GsoType & GsoEcn) != 0) offload.Flags |= FrameFlags.Ecn;
        offload.SegmentSize = GsoSize;
        offload.HeaderLength = HeaderLength;
        return true;
    }
}
