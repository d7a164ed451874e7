using System.Buffers.Binary;
using NicHost.Contracts.Frames;

namespace NicHost.Testing;

/// <summary>Frames for tests that care about carrying, not about protocols. Written by hand: a second opinion on the wire library.</summary>
public static class TestFrames
{
    /// <summary>An Ethernet frame of an experimental type with a numbered, recognisable payload.</summary>
    public static byte[] Plain(int length, int number)
    {
        var frame = new byte[length];
        new byte[] { 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x02, 0, 0, 0, 0, 1, 0x88, 0xb5 }.CopyTo(frame, 0);
        for (var i = 14; i < length; i++) frame[i] = (byte)(number + (i * 7));
        return frame;
    }

    /// <summary>A TCP super-frame over IPv4 or IPv6 with an open checksum and its record.</summary>
    public static (byte[] Frame, FrameOffload Offload) TcpSuperFrame(bool v4, int payload, ushort segmentSize, byte flags = 0x18)
    {
        var network = v4 ? 20 : 40;
        var frame = new byte[14 + network + 20 + payload];
        new byte[] { 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x02, 0, 0, 0, 0, 1 }.CopyTo(frame, 0);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), v4 ? (ushort)0x0800 : (ushort)0x86dd);
        var ip = frame.AsSpan(14, network);
        if (v4)
        {
            ip[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(20 + 20 + payload));
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], 0x1234);
            ip[8] = 64;
            ip[9] = 6;
            // To the loopback network: such a frame must not lead anywhere outside.
            new byte[] { 10, 0, 2, 15, 127, 0, 0, 1 }.CopyTo(ip[12..]);
        }
        else
        {
            ip[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(20 + payload));
            ip[6] = 6;
            ip[7] = 64;
            ip[8] = 0xfd;
            ip[23] = 15;
            ip[39] = 1;
        }
        var tcp = frame.AsSpan(14 + network);
        BinaryPrimitives.WriteUInt16BigEndian(tcp, 40000);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], 80);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], 0xffff_fff0);
        tcp[12] = 0x50;
        tcp[13] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], 0xffff);
        for (var i = 20; i < tcp.Length; i++) tcp[i] = (byte)(i * 13);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], PseudoSum(frame, v4, 6, tcp.Length));
        return (frame, new FrameOffload
        {
            Checksum = ChecksumState.Partial,
            ChecksumStart = (ushort)(14 + network),
            ChecksumOffset = 16,
            Gso = v4 ? GsoKind.TcpV4 : GsoKind.TcpV6,
            SegmentSize = segmentSize,
            HeaderLength = (ushort)(14 + network + 20),
        });
    }

    /// <summary>The naive one's complement sum of the pseudo header, folded, not complemented.</summary>
    public static ushort PseudoSum(ReadOnlySpan<byte> frame, bool v4, int protocol, int transportLength) =>
        Fold(protocol + transportLength + NaiveSum(v4 ? frame.Slice(26, 8) : frame.Slice(22, 32)));

    /// <summary>The naive one's complement sum.</summary>
    public static long NaiveSum(ReadOnlySpan<byte> bytes)
    {
        long sum = 0;
        for (var i = 0; i < bytes.Length; i++) sum += (i & 1) == 0 ? bytes[i] << 8 : bytes[i];
        return sum;
    }

    /// <summary>Folds a sum to 16 bits.</summary>
    public static ushort Fold(long sum)
    {
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)sum;
    }

    /// <summary>Whether the TCP or UDP checksum of an unfragmented frame without IPv6 extensions is right.</summary>
    public static bool HasGoodTransportChecksum(ReadOnlySpan<byte> frame)
    {
        var v4 = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) == 0x0800;
        var transport = 14 + (v4 ? (frame[14] & 0xf) * 4 : 40);
        var protocol = v4 ? frame[23] : frame[20];
        var segment = frame[transport..];
        return Fold(PseudoSum(frame, v4, protocol, segment.Length) + NaiveSum(segment)) == 0xffff;
    }
}
