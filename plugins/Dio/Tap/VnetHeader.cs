using System.Runtime.InteropServices;
using NicHost.Contracts.Frames;

namespace NicHost.Dio.Tap;

/// <summary>struct virtio_net_hdr in the host's byte order, as a TAP puts it before each frame (linux/virtio_net.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct VnetHeader
{
    public const int Size = 10;

    private const byte NeedsChecksum = 1;
    private const byte DataValid = 2;
    private const byte GsoTcp4 = 1;
    private const byte GsoTcp6 = 4;
    private const byte GsoUdp = 5;
    private const byte GsoEcn = 0x80;

    public byte Flags;
    public byte GsoType;
    public ushort HeaderLength;
    public ushort GsoSize;
    public ushort ChecksumStart;
    public ushort ChecksumOffset;

    /// <summary>What the kernel is told of a frame from the guest. It checks all of it against the frame.</summary>
    public static VnetHeader From(in FrameOffload offload, int length)
    {
        VnetHeader header = default;
        if (offload.Checksum == ChecksumState.Partial)
        {
            header.Flags = NeedsChecksum;
            header.ChecksumStart = offload.ChecksumStart;
            header.ChecksumOffset = offload.ChecksumOffset;
        }
        else if (offload.Checksum == ChecksumState.Verified) header.Flags = DataValid;
        if (offload.Gso == GsoKind.None) return header;
        header.GsoType = offload.Gso switch
        {
            GsoKind.TcpV4 => GsoTcp4,
            GsoKind.TcpV6 => GsoTcp6,
            _ => GsoUdp,
        };
        if (offload.Flags.Has(FrameFlags.Ecn)) header.GsoType |= GsoEcn;
        header.GsoSize = offload.SegmentSize;
        // A hint how much to put in one piece; a guest's wish is no reason for a large one.
        header.HeaderLength = (ushort)Math.Min(Math.Min((int)offload.HeaderLength, length), 256);
        return header;
    }

    /// <summary>What the kernel says of a frame to the guest.</summary>
    /// <returns>False when it cannot be.</returns>
    public readonly bool TryRead(int length, out FrameOffload offload)
    {
        offload = default;
        if ((Flags & NeedsChecksum) != 0)
        {
            if (ChecksumStart + ChecksumOffset + 2 > length) return false;
            offload.Checksum = ChecksumState.Partial;
            offload.ChecksumStart = ChecksumStart;
            offload.ChecksumOffset = ChecksumOffset;
        }
        else if ((Flags & DataValid) != 0) offload.Checksum = ChecksumState.Verified;
        switch (GsoType & ~GsoEcn)
        {
            case 0: return true;
            case GsoTcp4: offload.Gso = GsoKind.TcpV4; break;
            case GsoTcp6: offload.Gso = GsoKind.TcpV6; break;
            case GsoUdp: offload.Gso = GsoKind.Udp; break;
            default: return false;
        }
        if ((GsoType & GsoEcn) != 0) offload.Flags |= FrameFlags.Ecn;
        offload.SegmentSize = GsoSize;
        offload.HeaderLength = HeaderLength;
        return GsoSize != 0;
    }
}
