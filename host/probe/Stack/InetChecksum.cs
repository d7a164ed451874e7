using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NicHost.Probe.Stack;

/// <summary>
/// The Internet checksum (RFC 1071), on purpose not the product's: a fault there must show here as a wrong sum, not cancel out.
/// Sums are of 16-bit words in the machine's order, which commutes with byte swapping.
/// </summary>
internal static class InetChecksum
{
    /// <summary>Adds bytes to a sum; an odd length is padded, so only the last part may have one.</summary>
    public static ulong Add(ulong sum, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 32)
        {
            var words = MemoryMarshal.Cast<byte, ulong>(bytes[..32]);
            sum = AddCarry(sum, words[0]);
            sum = AddCarry(sum, words[1]);
            sum = AddCarry(sum, words[2]);
            sum = AddCarry(sum, words[3]);
            bytes = bytes[32..];
        }
        while (bytes.Length >= 2)
        {
            sum = AddCarry(sum, MemoryMarshal.Read<ushort>(bytes));
            bytes = bytes[2..];
        }
        return bytes.Length == 1 ? AddCarry(sum, bytes[0]) : sum;
    }

    /// <summary>The sum of a pseudo header.</summary>
    public static ulong Pseudo(Ip source, Ip destination, byte protocol, int length)
    {
        Span<byte> header = stackalloc byte[40];
        source.CopyTo(header);
        destination.CopyTo(header[16..]);
        if (!source.IsV6) header[4..16].Clear();
        if (!source.IsV6) header[20..32].Clear();
        BinaryPrimitives.WriteInt32BigEndian(header[32..], length);
        BinaryPrimitives.WriteInt32BigEndian(header[36..], protocol);
        return Add(0, header);
    }

    /// <summary>Folds a sum to 16 bits, in the machine's order.</summary>
    public static ushort Fold(ulong sum)
    {
        sum = (sum & 0xffff_ffff) + (sum >> 32);
        sum = (sum & 0xffff_ffff) + (sum >> 32);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)((sum & 0xffff) + (sum >> 16));
    }

    /// <summary>Stores the complement of a sum.</summary>
    public static void Store(Span<byte> field, ulong sum) => StoreRaw(field, (ushort)~Fold(sum));

    /// <summary>Stores 16 bits in the machine's order.</summary>
    public static void StoreRaw(Span<byte> field, ushort value) => MemoryMarshal.Write(field, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AddCarry(ulong sum, ulong value)
    {
        sum += value;
        return sum < value ? sum + 1 : sum;
    }

    /// <summary>Moves a sum of bytes that began at an odd place (the words were swapped).</summary>
    public static ulong Swap(ulong sum) => BinaryPrimitives.ReverseEndianness(Fold(sum));
}
