using System.Buffers.Binary;

namespace NicHost.NetVsp.Vmbus;

/// <summary>Builds one VMBus message of ours at a time.</summary>
internal ref struct MessageWriter
{
    private readonly Span<byte> _bytes;
    private int _length;

    public MessageWriter(Span<byte> bytes, MessageType type)
    {
        _bytes = bytes;
        _bytes.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes, (uint)type);
        _length = MessageView.HeaderSize;
    }

    public readonly ReadOnlySpan<byte> Bytes => _bytes[.._length];

    public void Byte(byte value) => _bytes[_length++] = value;

    public void U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes[_length..], value);
        _length += 2;
    }

    public void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes[_length..], value);
        _length += 4;
    }

    public void Guid(Guid value)
    {
        value.TryWriteBytes(_bytes[_length..]);
        _length += 16;
    }

    public void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes[_length..]);
        _length += bytes.Length;
    }

    public void Zeros(int count) => _length += count;
}
