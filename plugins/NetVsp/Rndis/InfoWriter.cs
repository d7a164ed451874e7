using System.Buffers.Binary;

namespace NicHost.NetVsp.Rndis;

/// <summary>Builds the information of one query's answer.</summary>
internal ref struct InfoWriter(Span<byte> bytes)
{
    /// <summary>Enough for the longest, the list of all OIDs.</summary>
    public const int Capacity = 512;

    private readonly Span<byte> _bytes = bytes;
    private int _length;

    public readonly ReadOnlySpan<byte> Bytes => _bytes[.._length];

    public void U16(int value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes[_length..], (ushort)value);
        _length += 2;
    }

    public void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes[_length..], value);
        _length += 4;
    }

    public void U64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_bytes[_length..], value);
        _length += 8;
    }

    /// <summary>A number of four or eight bytes, as many as the driver has room for (NDIS).</summary>
    public void Counter(long value, uint room)
    {
        if (room >= 8) U64(value);
        else U32((uint)value);
    }

    public void Raw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(_bytes[_length..]);
        _length += value.Length;
    }

    /// <summary>Reserves so many zeros, to be filled by offset.</summary>
    public Span<byte> Zeros(int count)
    {
        var span = _bytes.Slice(_length, count);
        span.Clear();
        _length += count;
        return span;
    }

    /// <summary>An NDIS object header.</summary>
    public void Object(byte type, byte revision, int size)
    {
        _bytes[_length++] = type;
        _bytes[_length++] = revision;
        U16(size);
    }
}
