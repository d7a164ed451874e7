using System.Buffers.Binary;
using NicHost.Contracts.Memory;
using NicHost.Wire;

namespace NicHost.Contracts.Offload;

/// <summary>Completes transport checksums that were left open.</summary>
public static class PartialChecksum
{
    /// <summary>Sums from <paramref name="start"/> to the end and stores the checksum at <paramref name="start"/> + <paramref name="offset"/>.</summary>
    /// <param name="frame">The frame, writable.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="start">Offset of the transport header.</param>
    /// <param name="offset">Offset of the checksum field in it; the field holds the pseudo header's sum.</param>
    /// <returns>False, with nothing written, when the field does not lie inside the frame.</returns>
    public static bool Complete(ReadOnlySpan<Segment> frame, int length, int start, int offset)
    {
        if (start + offset + 2 > length) return false;
        var checksum = (ushort)~InternetChecksum.Fold(Sum(frame, start, length - start));
        Span<byte> bytes = stackalloc byte[2];
        // A computed UDP checksum of 0 is sent as 0xffff (RFC 768); in TCP the two are the same number.
        BinaryPrimitives.WriteUInt16BigEndian(bytes, checksum == 0 ? (ushort)0xffff : checksum);
        SegmentOps.CopyFrom(frame, start + offset, bytes);
        return true;
    }

    /// <summary>The one's complement sum, not folded, of <paramref name="length"/> bytes from <paramref name="start"/> on.</summary>
    public static uint Sum(ReadOnlySpan<Segment> frame, int start, int length)
    {
        uint sum = 0;
        var odd = false;
        foreach (ref readonly var segment in frame)
        {
            if (length <= 0) break;
            if ((nuint)start >= segment.Length) { start -= (int)segment.Length; continue; }
            var piece = segment.Span[start..];
            if (piece.Length > length) piece = piece[..length];
            var part = InternetChecksum.Fold(InternetChecksum.Add(0, piece));
            // A piece that starts at an odd place counts with its bytes exchanged (RFC 1071 2 B).
            sum += odd ? BinaryPrimitives.ReverseEndianness(part) : part;
            odd ^= (piece.Length & 1) != 0;
            length -= piece.Length;
            start = 0;
        }
        return sum;
    }
}
