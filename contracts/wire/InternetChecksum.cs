using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace NicHost.Wire;

/// <summary>
/// The one's complement sum of RFC 1071. A running sum is a number in network order of any 32-bit value; sums of parts may be added in
/// any order. A part that is followed by another must have an even length, or be added through <c>ChecksumParts</c>.
/// </summary>
#if NICHOST_CONTRACTS
internal static partial class InternetChecksum
#else
public static partial class InternetChecksum
#endif
{
    /// <summary>Adds bytes to a sum.</summary>
    /// <param name="sum">The sum so far; 0 to start.</param>
    /// <param name="data">Bytes at an even position of what is summed; an odd last byte counts as if a zero followed.</param>
    public static uint Add(uint sum, ReadOnlySpan<byte> data) => AddWord(sum, SumNative(data));

    /// <summary>Adds a 16-bit number to a sum.</summary>
    /// <param name="sum">The sum so far.</param>
    /// <param name="word">A field as its value, not as its bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint AddWord(uint sum, ushort word)
    {
        ulong wide = (ulong)sum + word;
        return (uint)wide + (uint)(wide >> 32);
    }

    /// <summary>Adds a 32-bit number to a sum.</summary>
    /// <param name="sum">The sum so far.</param>
    /// <param name="value">A field as its value, not as its bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint AddDoubleWord(uint sum, uint value)
    {
        ulong wide = (ulong)sum + value;
        return (uint)wide + (uint)(wide >> 32);
    }

    /// <summary>Adds one sum to another.</summary>
    /// <param name="sum">A sum.</param>
    /// <param name="other">Another, of a part that starts at an even position.</param>
    public static uint Combine(uint sum, uint other) => AddDoubleWord(sum, other);

    /// <summary>Brings a sum down to 16 bits, not complemented.</summary>
    /// <param name="sum">A sum.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Fold(uint sum)
    {
        sum = (sum & 0xFFFF) + (sum >> 16);
        sum += sum >> 16;
        return (ushort)sum;
    }

    /// <summary>The checksum for a header field: folded and complemented.</summary>
    /// <param name="sum">The sum over everything, with the field itself as zero.</param>
    public static ushort Finish(uint sum) => (ushort)~Fold(sum);

    /// <summary>As <see cref="Finish"/>, but 0xFFFF instead of 0, which in UDP would mean "none" (RFC 768, RFC 8200 section 8.1).</summary>
    /// <param name="sum">The sum over everything, with the field itself as zero.</param>
    public static ushort FinishUdp(uint sum)
    {
        ushort checksum = Finish(sum);
        return checksum == 0 ? (ushort)0xFFFF : checksum;
    }

    /// <summary>Whether a sum over everything, the checksum field included, says that nothing has changed.</summary>
    /// <param name="sum">The sum.</param>
    public static bool IsValid(uint sum) => Fold(sum) == 0xFFFF;

    /// <summary>The checksum of some bytes.</summary>
    /// <param name="data">Bytes with the checksum field as zero.</param>
    public static ushort Compute(ReadOnlySpan<byte> data) => Finish(Add(0, data));

    /// <summary>The sum of IPv4's pseudo header (RFC 9293 section 3.1).</summary>
    /// <param name="source">Source address as a number.</param>
    /// <param name="destination">Destination address as a number.</param>
    /// <param name="protocol">An IP protocol number.</param>
    /// <param name="length">Bytes of transport header and payload.</param>
    public static uint PseudoHeader(uint source, uint destination, byte protocol, int length)
    {
        uint sum = AddDoubleWord(source, destination);
        return AddDoubleWord(sum, protocol + (uint)length);
    }

    /// <summary>The sum of IPv6's pseudo header (RFC 8200 section 8.1).</summary>
    /// <param name="source">Source address as a number.</param>
    /// <param name="destination">Destination address as a number; with a routing header, the final one.</param>
    /// <param name="protocol">The transport's protocol number, not the next header before it.</param>
    /// <param name="length">Bytes of transport header and payload.</param>
    public static uint PseudoHeader(UInt128 source, UInt128 destination, byte protocol, int length)
    {
        uint sum = AddQuad(AddQuad(0, source), destination);
        return AddDoubleWord(AddDoubleWord(sum, protocol), (uint)length);
    }

    /// <summary>The sum of IPv4's pseudo header, addresses taken as they lie in the packet.</summary>
    /// <param name="addresses">Source and destination: 8 bytes of the header.</param>
    /// <param name="protocol">An IP protocol number.</param>
    /// <param name="length">Bytes of transport header and payload.</param>
    public static uint PseudoV4(ReadOnlySpan<byte> addresses, byte protocol, int length) => Add(protocol + (uint)length, addresses[..8]);

    /// <summary>The sum of IPv6's pseudo header, addresses taken as they lie in the packet.</summary>
    /// <param name="addresses">Source and destination: 32 bytes of the header.</param>
    /// <param name="protocol">The transport's protocol number.</param>
    /// <param name="length">Bytes of transport header and payload.</param>
    public static uint PseudoV6(ReadOnlySpan<byte> addresses, byte protocol, int length) => Add(protocol + (uint)length, addresses[..32]);

    /// <summary>
    /// What stands in the checksum field when somebody else shall complete it (virtio's and the kernel's "partial" checksum): the folded sum of
    /// the pseudo header, not complemented.
    /// </summary>
    /// <param name="pseudoHeader">A sum from a PseudoHeader method.</param>
    public static ushort Partial(uint pseudoHeader) => Fold(pseudoHeader);

    /// <summary>Completes a partial checksum in place: sums from <paramref name="start"/> to the end, and stores at start + offset.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="start">Where the sum starts.</param>
    /// <param name="offset">Where the field is, from <paramref name="start"/>; it holds the partial checksum.</param>
    /// <returns>False when the field lies outside; nothing has changed then.</returns>
    public static bool TryComplete(Span<byte> frame, int start, int offset)
    {
        if ((uint)start > (uint)frame.Length || offset < 0 || offset > frame.Length - start - 2) return false;
        ushort checksum = FinishUdp(Add(0, frame[start..]));
        BinaryPrimitives.WriteUInt16BigEndian(frame[(start + offset)..], checksum);
        return true;
    }

    /// <summary>A checksum after a 16-bit field has changed (RFC 1624, equation 3).</summary>
    /// <param name="checksum">The checksum field before.</param>
    /// <param name="before">The field before.</param>
    /// <param name="after">The field after.</param>
    public static ushort Update(ushort checksum, ushort before, ushort after) =>
        Finish((uint)(ushort)~checksum + (ushort)~before + after);

    /// <summary>A checksum after a 32-bit field has changed (RFC 1624, equation 3).</summary>
    /// <param name="checksum">The checksum field before.</param>
    /// <param name="before">The field before.</param>
    /// <param name="after">The field after.</param>
    public static ushort Update(ushort checksum, uint before, uint after) =>
        Finish(AddDoubleWord(AddDoubleWord((ushort)~checksum, ~before), after));

    /// <summary>A checksum after a 128-bit field has changed (RFC 1624, equation 3).</summary>
    /// <param name="checksum">The checksum field before.</param>
    /// <param name="before">The field before.</param>
    /// <param name="after">The field after.</param>
    public static ushort Update(ushort checksum, UInt128 before, UInt128 after) =>
        Finish(AddQuad(AddQuad((ushort)~checksum, ~before), after));

    private static uint AddQuad(uint sum, UInt128 value)
    {
        ulong high = (ulong)(value >> 64);
        ulong low = (ulong)value;
        ulong wide = (high >> 32) + (uint)high + (low >> 32) + (uint)low;
        return AddDoubleWord(AddDoubleWord(sum, (uint)wide), (uint)(wide >> 32));
    }
}
