using System.Buffers.Binary;
using NicHost.Contracts.Frames;

namespace NicHost.Probe.Netvsc;

/// <content>RNDIS packet headers, as NDIS wants them.</content>
public sealed unsafe partial class NetvscQueue
{
    private static void WriteHeader(byte* start, byte* frame, int length, in FrameOffload offload)
    {
        var words = new Span<uint>(start, Headroom / 4);
        words.Clear();
        words[0] = 1;
        words[1] = (uint)(Headroom + length);
        words[2] = Headroom - 8;
        words[3] = (uint)length;
        var at = 11;
        if (offload.Gso != GsoKind.None) AddLargeSend(words, ref at, frame, offload);
        else if (offload.Checksum == ChecksumState.Partial) Add(words, ref at, 0, ChecksumWord(frame, offload));
        if ((offload.Flags & FrameFlags.Vlan) != 0)
            Add(words, ref at, 6, (uint)((offload.VlanTci >> 13) | (((offload.VlanTci >> 12) & 1) << 3) | ((offload.VlanTci & 0xfff) << 4)));
        if (at == 11) return;
        words[7] = 36;
        words[8] = (uint)((at - 11) * 4);
    }

    private static void Add(Span<uint> words, ref int at, uint type, uint value)
    {
        words[at++] = 16;
        words[at++] = type;
        words[at++] = 12;
        words[at++] = value;
    }

    private static uint ChecksumWord(byte* frame, in FrameOffload offload)
    {
        var isV6 = frame[12] == 0x86;
        return (isV6 ? 2u : 1u) | (offload.ChecksumOffset == 16 ? 4u : 8u) | ((uint)offload.ChecksumStart << 16);
    }

    /// <summary>A large send leaves the length fields out: of the packet, and of the pseudo header's sum.</summary>
    private static void AddLargeSend(Span<uint> words, ref int at, byte* frame, in FrameOffload offload)
    {
        var isV6 = offload.Gso == GsoKind.TcpV6;
        Add(words, ref at, 2, offload.SegmentSize | ((uint)offload.ChecksumStart << 20) | (1u << 30) | (isV6 ? 1u << 31 : 0));
        // SAFETY: a super-frame's headers are longer than this.
        var network = new Span<byte>(frame + 14, 40);
        BinaryPrimitives.WriteUInt16BigEndian(network[(isV6 ? 4 : 2)..], 0);
        if (!isV6) BinaryPrimitives.WriteUInt16BigEndian(network[10..], 0);
        var addresses = isV6 ? network[8..40] : network[12..20];
        uint sum = 6;
        for (var i = 0; i < addresses.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(addresses[i..]);
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(frame + offload.ChecksumStart + 16, 2), (ushort)sum);
    }
}
