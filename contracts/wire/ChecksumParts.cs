using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>A checksum over parts of any length, odd ones too: each part counts from where the one before ended.</summary>
public struct ChecksumParts
{
    private uint _sum;
    private bool _odd;

    /// <summary>Starts from a sum, such as that of a pseudo header.</summary>
    /// <param name="sum">The sum so far.</param>
    public ChecksumParts(uint sum)
    {
        _sum = sum;
        _odd = false;
    }

    /// <summary>The sum so far.</summary>
    public readonly uint Sum => _sum;

    /// <summary>Appends a part.</summary>
    /// <param name="data">The bytes that follow what was appended before.</param>
    public void Add(ReadOnlySpan<byte> data)
    {
        // RFC 1071 section 2 B: a sum of bytes that sit one byte off is the swapped sum.
        ushort part = InternetChecksum.Fold(InternetChecksum.Add(0, data));
        _sum = InternetChecksum.AddWord(_sum, _odd ? BinaryPrimitives.ReverseEndianness(part) : part);
        _odd ^= (data.Length & 1) != 0;
    }
}
