using System.Buffers.Binary;
using NicHost.Wire;

namespace NicHost.Fuzz.Targets;

/// <summary>Makes mutated frames pass the first checks, so that what lies behind them is reached.</summary>
internal static class FrameRepair
{
    /// <summary>Sets lengths and checksums of an IPv4 or IPv6 frame without extensions.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="partial">Whether the transport checksum is left open and the field holds the pseudo header's sum.</param>
    public static void Checksums(byte[] frame, bool partial)
    {
        if (frame.Length < 34) return;
        var type = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12));
        if (type == EtherType.Ipv4) Ipv4(frame, partial);
        else if (type == EtherType.Ipv6 && frame.Length >= 54) Ipv6(frame, partial);
    }

    /// <summary>Without a namespace of our own: every destination becomes one that no socket leads away from this machine.</summary>
    public static void KeepHere(byte[] frame)
    {
        foreach (var at in new[] { 14, 18 })
        {
            if (frame.Length < at + 40) continue;
            if (frame[at] >> 4 == 4 && !IsLocal(frame.AsSpan(at + 16, 4))) new byte[] { 10, 0, 2, 2 }.CopyTo(frame, at + 16);
            if (frame[at] >> 4 == 6) new byte[] { 0xfd, 0, 0, 0x10, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2 }.CopyTo(frame, at + 24);
        }
    }

    private static bool IsLocal(ReadOnlySpan<byte> address) => address is [10, 0, 2, _] or [127, ..] or [255, 255, 255, 255] or [0, 0, 0, 0] or [>= 224 and < 240, ..];

    private static void Ipv4(byte[] frame, bool partial)
    {
        var ip = frame.AsSpan(14);
        var header = (ip[0] & 15) * 4;
        if (header < 20 || header > ip.Length) return;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)Math.Min(ip.Length, 65535));
        Ipv4View.WriteChecksum(ip[..header]);
        if ((BinaryPrimitives.ReadUInt16BigEndian(ip[6..]) & 0x3fff) != 0) return;
        Transport(ip[header..], ip[9], pseudo: ip[9] == 1 ? 0
            : InternetChecksum.PseudoHeader(BinaryPrimitives.ReadUInt32BigEndian(ip[12..]), BinaryPrimitives.ReadUInt32BigEndian(ip[16..]), ip[9], ip.Length - header), partial);
    }

    private static void Ipv6(byte[] frame, bool partial)
    {
        var ip = frame.AsSpan(14);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(ip.Length - 40));
        Transport(ip[40..], ip[6], InternetChecksum.PseudoHeader(
            BinaryPrimitives.ReadUInt128BigEndian(ip[8..]), BinaryPrimitives.ReadUInt128BigEndian(ip[24..]), ip[6], ip.Length - 40), partial);
    }

    private static void Transport(Span<byte> segment, byte protocol, uint pseudo, bool partial)
    {
        var at = protocol switch { 6 => 16, 17 => 6, 1 or 58 => 2, _ => -1 };
        if (at < 0 || segment.Length < at + 2) return;
        if (protocol == 17) BinaryPrimitives.WriteUInt16BigEndian(segment[4..], (ushort)segment.Length);
        segment.Slice(at, 2).Clear();
        var sum = partial ? InternetChecksum.Fold(pseudo) : InternetChecksum.Finish(InternetChecksum.Add(pseudo, segment));
        BinaryPrimitives.WriteUInt16BigEndian(segment[at..], sum);
    }
}
