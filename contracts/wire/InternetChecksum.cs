using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace NicHost.Wire;

/// <summary>
/// The one's complement sum of RFC 1071. Sums are kept as numbers of network order: <c>~Fold(sum)</c>, written big-endian, is the checksum.
/// </summary>
#if NICHOST_CONTRACTS
internal static class InternetChecksum
#else
public static class InternetChecksum
#endif
{
    /// <summary>Adds bytes to a sum. A last odd byte counts as if a zero followed.</summary>
    /// <param name="sum">The sum so far, folded or not; 0 to begin.</param>
    /// <param name="bytes">Any length. A run that starts at an odd place of the packet must be exchanged by the caller (RFC 1071 2 B).</param>
    /// <returns>A sum that grows by at most 0xffff per call: up to 65,536 calls cannot overflow it.</returns>
    public static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        // The sum is taken in native order, wide, and its bytes are exchanged once at the end (RFC 1071 2 B).
        var native = FoldNative(SumNative(bytes));
        return sum + (BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(native) : native);
    }

    /// <summary>Brings the carries back in until 16 bits are left.</summary>
    public static ushort Fold(uint sum)
    {
        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)((sum & 0xffff) + (sum >> 16));
    }

    /// <summary>The finished checksum of one run: 0 when the run holds its own right checksum.</summary>
    public static ushort Compute(ReadOnlySpan<byte> bytes) => (ushort)~Fold(Add(0, bytes));

    /// <summary>The sum of an IPv4 pseudo header (RFC 9293 3.1).</summary>
    /// <param name="addresses">Source and destination: 8 bytes of the header as they lie there.</param>
    /// <param name="protocol">IP protocol number.</param>
    /// <param name="length">Bytes of transport header and payload.</param>
    public static uint PseudoV4(ReadOnlySpan<byte> addresses, byte protocol, int length) => Add((uint)(protocol + length), addresses[..8]);

    /// <summary>The sum of an IPv6 pseudo header (RFC 8200 8.1).</summary>
    /// <param name="addresses">Source and destination: 32 bytes of the header as they lie there.</param>
    /// <param name="protocol">Next header of the transport.</param>
    /// <param name="length">Bytes of transport header and payload.</param>
    public static uint PseudoV6(ReadOnlySpan<byte> addresses, byte protocol, int length) =>
        Add(protocol + ((uint)length & 0xffff) + ((uint)length >> 16), addresses[..32]);

    /// <summary>A checksum after one 16-bit field changed (RFC 1624, equation 3).</summary>
    public static ushort Update(ushort checksum, ushort before, ushort after) =>
        (ushort)~Fold((uint)(ushort)~checksum + (ushort)~before + after);

    private static ulong SumNative(ReadOnlySpan<byte> bytes)
    {
        ref var start = ref MemoryMarshal.GetReference(bytes);
        nuint at = 0, length = (nuint)bytes.Length;
        ulong sum = 0;
        if (Vector256.IsHardwareAccelerated && length >= 64)
        {
            // Four accumulators of 64-bit lanes; each step adds 32-bit words, so a lane cannot overflow within 16 GiB.
            Vector256<ulong> a = default, b = default, c = default, d = default;
            for (; at + 64 <= length; at += 64)
            {
                var x = Vector256.LoadUnsafe(ref start, at).AsUInt32();
                var y = Vector256.LoadUnsafe(ref start, at + 32).AsUInt32();
                var (xLow, xHigh) = Vector256.Widen(x);
                var (yLow, yHigh) = Vector256.Widen(y);
                a += xLow;
                b += xHigh;
                c += yLow;
                d += yHigh;
            }
            sum = Vector256.Sum(a + b + (c + d));
        }
        for (; at + 8 <= length; at += 8)
        {
            var word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, at));
            sum += (word & uint.MaxValue) + (word >> 32);
        }
        if (at < length) sum += Tail(bytes[(int)at..]);
        return sum;
    }

    /// <summary>The last 1 to 7 bytes, padded with zeros, as one native number in two halves.</summary>
    private static ulong Tail(ReadOnlySpan<byte> bytes)
    {
        Span<byte> padded = stackalloc byte[8];
        padded.Clear();
        bytes.CopyTo(padded);
        var word = MemoryMarshal.Read<ulong>(padded);
        return (word & uint.MaxValue) + (word >> 32);
    }

    private static ushort FoldNative(ulong sum)
    {
        sum = (sum & uint.MaxValue) + (sum >> 32);
        sum = (sum & uint.MaxValue) + (sum >> 32);
        var half = (uint)sum;
        half = (half & 0xffff) + (half >> 16);
        return (ushort)((half & 0xffff) + (half >> 16));
    }
}
