using System.Runtime.InteropServices;
using NicHost.Contracts.Frames;

namespace NicHost.Virtio.Net;

/// <summary>
/// The header before each frame (virtio 1.2, 5.1.6): 12 bytes, or 10 without its last field for a legacy guest without mergeable buffers.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct NetHeader
{
    public const int ShortSize = 10;
    public const int FullSize = 12;

    public const byte FlagNeedsCsum = 1;
    public const byte FlagDataValid = 2;

    public const byte GsoNone = 0;
    public const byte GsoTcpV4 = 1;
    public const byte GsoTcpV6 = 4;
    public const byte GsoUdpL4 = 5;
    public const byte GsoEcn = 0x80;

    public byte Flags;
    public byte GsoType;
    public ushort HeaderLength;
    public ushort GsoSize;
    public ushort CsumStart;
    public ushort CsumOffset;
    public ushort Buffers;

    public static int SizeFor(NetFeatures accepted) =>
        (accepted & (NetFeatures.Version1 | NetFeatures.MrgRxbuf)) != 0 ? FullSize : ShortSize;

    /// <summary>Turns a guest's header into the neutral record.</summary>
    /// <param name="accepted">What the guest may ask for.</param>
    /// <param name="length">Length of the frame, without this header.</param>
    /// <param name="offload">The result; fields lie inside the frame but are not proven against its protocol headers.</param>
    /// <returns>False when the guest asks for what it did not accept, or for nonsense.</returns>
    public readonly bool TryRead(NetFeatures accepted, int length, out FrameOffload offload)
    {
        offload = default;
        // 5.1.6.2.1: the device ignores flags other than NEEDS_CSUM.
        if ((Flags & FlagNeedsCsum) != 0)
        {
            if ((accepted & NetFeatures.Csum) == 0) return false;
            if (CsumStart < FrameLimits.EthernetHeader || CsumStart + CsumOffset + 2 > length) return false;
            offload.Checksum = ChecksumState.Partial;
            offload.ChecksumStart = CsumStart;
            offload.ChecksumOffset = CsumOffset;
        }
        return GsoType == GsoNone || TryReadGso(accepted, length, ref offload);
    }

    /// <summary>Makes the header for a frame on its way to the guest.</summary>
    public static NetHeader For(in FrameOffload offload, NetFeatures accepted)
    {
        NetHeader header = default;
        header.Buffers = 1;
        if ((accepted & NetFeatures.GuestCsum) == 0) return header;
        if (offload.Checksum == ChecksumState.Partial)
        {
            header.Flags = FlagNeedsCsum;
            header.CsumStart = offload.ChecksumStart;
            header.CsumOffset = offload.ChecksumOffset;
        }
        else if (offload.Checksum == ChecksumState.Verified) header.Flags = FlagDataValid;
        if (offload.Gso == GsoKind.None) return header;
        header.GsoType = offload.Gso switch
        {
            GsoKind.TcpV4 => GsoTcpV4,
            GsoKind.TcpV6 => GsoTcpV6,
            _ => GsoUdpL4,
        };
        if ((offload.Flags & FrameFlags.Ecn) != 0) header.GsoType |= GsoEcn;
        header.GsoSize = offload.SegmentSize;
        header.HeaderLength = offload.HeaderLength;
        return header;
    }

    private readonly bool TryReadGso(NetFeatures accepted, int length, ref FrameOffload offload)
    {
        // 5.1.6.2.1: every GSO frame needs its checksum completed, and has a size to cut to.
        if (offload.Checksum != ChecksumState.Partial || GsoSize == 0) return false;
        var ecn = (GsoType & GsoEcn) != 0;
        var (kind, needed) = (GsoType & ~GsoEcn) switch
        {
            GsoTcpV4 => (GsoKind.TcpV4, NetFeatures.HostTso4),
            GsoTcpV6 => (GsoKind.TcpV6, NetFeatures.HostTso6),
            GsoUdpL4 when !ecn => (GsoKind.Udp, NetFeatures.HostUso),
            _ => (GsoKind.None, NetFeatures.None),
        };
        if (kind == GsoKind.None || (accepted & needed) == 0) return false;
        if (ecn && (accepted & NetFeatures.HostEcn) == 0) return false;
        offload.Gso = kind;
        if (ecn) offload.Flags = FrameFlags.Ecn;
        offload.SegmentSize = GsoSize;
        offload.HeaderLength = (ushort)Math.Min(HeaderLength, length);
        return true;
    }
}
