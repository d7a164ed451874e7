using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace NicHost.Linux;

/// <summary>Builds one netlink message: header, a fixed structure, attributes (netlink(7)). Lengths are filled in as it grows.</summary>
public ref struct NetlinkWriter
{
    private const int Header = 16;
    private const int Attribute = 4;
    private const ushort Nested = 0x8000;
    private readonly Span<byte> _buffer;
    private int _length;

    /// <summary>Starts a message.</summary>
    /// <param name="buffer">Borrowed; large enough for all that is added.</param>
    /// <param name="type">Such as RTM_NEWLINK.</param>
    /// <param name="flags">NLM_F flags.</param>
    public NetlinkWriter(Span<byte> buffer, ushort type, ushort flags)
    {
        _buffer = buffer;
        _buffer[..Header].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer[6..], flags);
        _length = Header;
        Close(0);
    }

    /// <summary>The message so far.</summary>
    public readonly ReadOnlySpan<byte> Message => _buffer[.._length];

    /// <summary>Adds the fixed structure that follows the header.</summary>
    /// <typeparam name="T">With the kernel's layout.</typeparam>
    /// <param name="value">The structure.</param>
    public void Struct<T>(in T value)
        where T : unmanaged
    {
        MemoryMarshal.Write(_buffer[_length..], in value);
        _length += Align(Unsafe.SizeOf<T>());
        Close(0);
    }

    /// <summary>Adds an attribute.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="data">Its data.</param>
    public void Add(ushort type, scoped ReadOnlySpan<byte> data)
    {
        Span<byte> room = _buffer.Slice(_length, Attribute + Align(data.Length));
        room.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(room, (ushort)(Attribute + data.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(room[2..], type);
        data.CopyTo(room[Attribute..]);
        _length += room.Length;
        Close(0);
    }

    /// <summary>Adds an attribute that holds a number.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="value">Its value.</param>
    public void Add(ushort type, uint value) => Add(type, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in value)));

    /// <summary>Adds an attribute that holds a byte.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="value">Its value.</param>
    public void AddByte(ushort type, byte value) => Add(type, [value]);

    /// <summary>Adds an attribute that holds a text, terminated as the kernel wants it.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="text">Its value.</param>
    public void Add(ushort type, string text) => Add(type, [.. Encoding.UTF8.GetBytes(text), 0]);

    /// <summary>Opens an attribute that holds attributes.</summary>
    /// <param name="type">Its type.</param>
    /// <returns>To be given to <see cref="End"/>.</returns>
    public int Begin(ushort type)
    {
        int at = _length;
        Add((ushort)(type | Nested), []);
        return at;
    }

    /// <summary>Closes an attribute that holds attributes.</summary>
    /// <param name="at">What <see cref="Begin"/> gave.</param>
    public readonly void End(int at) => BinaryPrimitives.WriteUInt16LittleEndian(_buffer[at..], (ushort)(_length - at));

    internal static int Align(int length) => (length + 3) & ~3;

    private readonly void Close(int at) => BinaryPrimitives.WriteUInt32LittleEndian(_buffer[at..], (uint)_length);
}
