using System.Buffers.Binary;
using System.Text;

namespace NicHost.Linux;

/// <summary>Walks the netlink messages of one datagram. Lengths are checked against the buffer.</summary>
public ref struct NetlinkReader
{
    private const int Header = 16;
    private ReadOnlySpan<byte> _rest;

    /// <summary>Starts before the first message.</summary>
    /// <param name="datagram">What was received.</param>
    public NetlinkReader(ReadOnlySpan<byte> datagram)
    {
        _rest = datagram;
        Type = Flags = 0;
        Sequence = 0;
        Body = default;
    }

    /// <summary>The present message's type.</summary>
    public ushort Type { get; private set; }

    /// <summary>The present message's flags.</summary>
    public ushort Flags { get; private set; }

    /// <summary>The sequence number of the request that it answers.</summary>
    public uint Sequence { get; private set; }

    /// <summary>What follows the header.</summary>
    public ReadOnlySpan<byte> Body { get; private set; }

    /// <summary>Moves to the next message.</summary>
    /// <returns>False at the end, or where a length makes no sense.</returns>
    public bool MoveNext()
    {
        if (_rest.Length < Header) return false;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(_rest);
        if (length < Header || length > _rest.Length) return false;
        Type = BinaryPrimitives.ReadUInt16LittleEndian(_rest[4..]);
        Flags = BinaryPrimitives.ReadUInt16LittleEndian(_rest[6..]);
        Sequence = BinaryPrimitives.ReadUInt32LittleEndian(_rest[8..]);
        Body = _rest[Header..(int)length];
        _rest = _rest[Math.Min(_rest.Length, NetlinkWriter.Align((int)length))..];
        return true;
    }
}

/// <summary>Walks attributes. Lengths are checked against the buffer.</summary>
public ref struct NetlinkAttributes
{
    private const int Header = 4;
    private const ushort TypeMask = 0x3fff;
    private ReadOnlySpan<byte> _rest;

    /// <summary>Starts before the first attribute.</summary>
    /// <param name="attributes">A run of attributes.</param>
    public NetlinkAttributes(ReadOnlySpan<byte> attributes)
    {
        _rest = attributes;
        Type = 0;
        Data = default;
    }

    /// <summary>The present attribute's type, without the flags in it.</summary>
    public ushort Type { get; private set; }

    /// <summary>Its data.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    /// <summary>Its data as a number; 0 when it is too short.</summary>
    public readonly uint Number => Data.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(Data) : Data.Length >= 1 ? Data[0] : 0u;

    /// <summary>Its data as a text, without the terminator.</summary>
    public readonly string Text => Encoding.UTF8.GetString(Data[..(Data.IndexOf((byte)0) is >= 0 and int end ? end : Data.Length)]);

    /// <summary>Moves to the next attribute.</summary>
    /// <returns>False at the end, or where a length makes no sense.</returns>
    public bool MoveNext()
    {
        if (_rest.Length < Header) return false;
        ushort length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        if (length < Header || length > _rest.Length) return false;
        Type = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]) & TypeMask);
        Data = _rest[Header..length];
        _rest = _rest[Math.Min(_rest.Length, NetlinkWriter.Align(length))..];
        return true;
    }
}
