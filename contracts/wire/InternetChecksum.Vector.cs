using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace NicHost.Wire;

/// <content>
/// The loops. The sum does not depend on byte order except for one swap at the end (RFC 1071 section 2 B), so words are added as the machine
/// reads them; and 2^16 = 2^32 = 1 modulo 2^16-1, so 32-bit halves can be added into 64-bit lanes that never overflow.
/// </content>
#if NICHOST_CONTRACTS
internal static partial class InternetChecksum
#else
public static partial class InternetChecksum
#endif
{
    /// <summary>Copies bytes and adds them to a sum in one pass over memory.</summary>
    /// <param name="sum">The sum so far; 0 to start.</param>
    /// <param name="source">Bytes at an even position of what is summed. What is summed is what is copied, even when others write here meanwhile.</param>
    /// <param name="destination">At least as long; must not overlap.</param>
    public static uint Copy(uint sum, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (destination.Length < source.Length) throw new ArgumentException("The destination is shorter than the source.", nameof(destination));
        ref byte from = ref MemoryMarshal.GetReference(source);
        ref byte to = ref MemoryMarshal.GetReference(destination);
        nuint length = (nuint)source.Length;
        nuint at = 0;
        ulong total = 0;

        // SAFETY: every access is at `at` with `at + size <= length`, and both spans have `length` bytes.
        if (Vector256.IsHardwareAccelerated && length >= 64)
        {
            Vector256<ulong> first = default;
            Vector256<ulong> second = default;
            Vector256<ulong> low = Vector256.Create(0xFFFF_FFFFUL);
            for (; at + 64 <= length; at += 64)
            {
                Vector256<ulong> a = Vector256.LoadUnsafe(ref from, at).AsUInt64();
                Vector256<ulong> b = Vector256.LoadUnsafe(ref from, at + 32).AsUInt64();
                a.AsByte().StoreUnsafe(ref to, at);
                b.AsByte().StoreUnsafe(ref to, at + 32);
                first += (a & low) + (a >> 32);
                second += (b & low) + (b >> 32);
            }

            total = Halves(Vector256.Sum(first + second));
        }

        for (; at + 8 <= length; at += 8)
        {
            ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.AddByteOffset(ref from, at));
            Unsafe.WriteUnaligned(ref Unsafe.AddByteOffset(ref to, at), word);
            total += Halves(word);
        }

        if (at + 4 <= length)
        {
            uint word = Unsafe.ReadUnaligned<uint>(ref Unsafe.AddByteOffset(ref from, at));
            Unsafe.WriteUnaligned(ref Unsafe.AddByteOffset(ref to, at), word);
            total += word;
            at += 4;
        }

        if (at + 2 <= length)
        {
            ushort word = Unsafe.ReadUnaligned<ushort>(ref Unsafe.AddByteOffset(ref from, at));
            Unsafe.WriteUnaligned(ref Unsafe.AddByteOffset(ref to, at), word);
            total += word;
            at += 2;
        }

        if (at < length)
        {
            byte last = Unsafe.AddByteOffset(ref from, at);
            Unsafe.AddByteOffset(ref to, at) = last;
            total += BitConverter.IsLittleEndian ? last : (uint)last << 8;
        }

        return AddWord(sum, ToNetwork(total));
    }

    private static ushort SumNative(ReadOnlySpan<byte> data)
    {
        ref byte start = ref MemoryMarshal.GetReference(data);
        nuint length = (nuint)data.Length;
        nuint at = 0;
        ulong total = 0;

        // SAFETY: every access is at `at` with `at + size <= length`.
        if (Vector512.IsHardwareAccelerated && length >= 256) total = Sum512(ref start, length, ref at);
        else if (Vector256.IsHardwareAccelerated && length >= 64) total = Sum256(ref start, length, ref at);
        else if (Vector128.IsHardwareAccelerated && length >= 32) total = Sum128(ref start, length, ref at);

        for (; at + 8 <= length; at += 8) total += Halves(Unsafe.ReadUnaligned<ulong>(ref Unsafe.AddByteOffset(ref start, at)));
        if (at + 4 <= length)
        {
            total += Unsafe.ReadUnaligned<uint>(ref Unsafe.AddByteOffset(ref start, at));
            at += 4;
        }

        if (at + 2 <= length)
        {
            total += Unsafe.ReadUnaligned<ushort>(ref Unsafe.AddByteOffset(ref start, at));
            at += 2;
        }

        if (at < length)
        {
            byte last = Unsafe.AddByteOffset(ref start, at);
            total += BitConverter.IsLittleEndian ? last : (uint)last << 8;
        }

        return ToNetwork(total);
    }

    private static ulong Sum512(ref byte start, nuint length, ref nuint at)
    {
        Vector512<ulong> first = default;
        Vector512<ulong> second = default;
        Vector512<ulong> low = Vector512.Create(0xFFFF_FFFFUL);
        for (; at + 128 <= length; at += 128)
        {
            Vector512<ulong> a = Vector512.LoadUnsafe(ref start, at).AsUInt64();
            Vector512<ulong> b = Vector512.LoadUnsafe(ref start, at + 64).AsUInt64();
            first += (a & low) + (a >> 32);
            second += (b & low) + (b >> 32);
        }

        return Halves(Vector512.Sum(first + second));
    }

    private static ulong Sum256(ref byte start, nuint length, ref nuint at)
    {
        Vector256<ulong> first = default;
        Vector256<ulong> second = default;
        Vector256<ulong> low = Vector256.Create(0xFFFF_FFFFUL);
        for (; at + 64 <= length; at += 64)
        {
            Vector256<ulong> a = Vector256.LoadUnsafe(ref start, at).AsUInt64();
            Vector256<ulong> b = Vector256.LoadUnsafe(ref start, at + 32).AsUInt64();
            first += (a & low) + (a >> 32);
            second += (b & low) + (b >> 32);
        }

        return Halves(Vector256.Sum(first + second));
    }

    private static ulong Sum128(ref byte start, nuint length, ref nuint at)
    {
        Vector128<ulong> first = default;
        Vector128<ulong> second = default;
        Vector128<ulong> low = Vector128.Create(0xFFFF_FFFFUL);
        for (; at + 32 <= length; at += 32)
        {
            Vector128<ulong> a = Vector128.LoadUnsafe(ref start, at).AsUInt64();
            Vector128<ulong> b = Vector128.LoadUnsafe(ref start, at + 16).AsUInt64();
            first += (a & low) + (a >> 32);
            second += (b & low) + (b >> 32);
        }

        return Halves(Vector128.Sum(first + second));
    }

    /// <summary>Brings 64 bits down to at most 33 so that many can be added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Halves(ulong word) => (uint)word + (word >> 32);

    private static ushort ToNetwork(ulong total)
    {
        total = (uint)total + (total >> 32);
        total = (uint)total + (total >> 32);
        ushort folded = Fold((uint)total);
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(folded) : folded;
    }
}
