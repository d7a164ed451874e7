using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>struct msghdr. All pointers are the caller's and stay in place during the call.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
public unsafe struct MsgHdr
{
    /// <summary>Where the peer's address is, or 0.</summary>
    [FieldOffset(0)] public nint Name;

    /// <summary>Bytes of the address; when receiving the room, then what came.</summary>
    [FieldOffset(8)] public uint NameLength;

    /// <summary>The segments.</summary>
    [FieldOffset(16)] public IoVec* Segments;

    /// <summary>How many segments, at most <see cref="IoVec.MaxCount"/>.</summary>
    [FieldOffset(24)] public nuint SegmentCount;

    /// <summary>Control messages, 8-byte aligned, or 0.</summary>
    [FieldOffset(32)] public nint Control;

    /// <summary>Bytes of control messages; when receiving the room, then what came.</summary>
    [FieldOffset(40)] public nuint ControlLength;

    /// <summary>Set by receiving only.</summary>
    [FieldOffset(48)] public MsgFlags Flags;

    /// <summary>Whether the datagram was longer than the segments.</summary>
    public readonly bool IsTruncated => (Flags & MsgFlags.Truncate) != 0;

    /// <summary>The control messages that came. Valid as long as the control buffer.</summary>
    public readonly ControlReader ReadControl() =>
        new(new ReadOnlySpan<byte>((void*)Control, (int)ControlLength));
}

/// <summary>struct mmsghdr.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
public struct MMsgHdr
{
    /// <summary>The message.</summary>
    [FieldOffset(0)] public MsgHdr Header;

    /// <summary>Bytes sent or received.</summary>
    [FieldOffset(56)] public uint Length;
}

/// <summary>The arithmetic of cmsg(3) for 64-bit Linux: a 16-byte header, then data, padded to 8.</summary>
public static class ControlMessage
{
    /// <summary>Bytes of struct cmsghdr: length (8), level (4), type (4).</summary>
    public const int HeaderLength = 16;

    internal const int LevelAt = 8;
    internal const int TypeAt = 12;

    /// <summary>SCM_RIGHTS at <see cref="SocketLevel.Socket"/>: descriptors.</summary>
    public const int Rights = 1;

    /// <summary>CMSG_LEN: what the header's length field says.</summary>
    /// <param name="dataLength">Bytes of data.</param>
    public static int Length(int dataLength) => HeaderLength + dataLength;

    /// <summary>CMSG_SPACE: what the message takes in the buffer.</summary>
    /// <param name="dataLength">Bytes of data.</param>
    public static int Space(int dataLength) => HeaderLength + ((dataLength + 7) & ~7);
}

/// <summary>Writes control messages into a buffer. The buffer must be 8-byte aligned when the kernel reads it (stackalloc of ulong is).</summary>
public ref struct ControlWriter
{
    private readonly Span<byte> _buffer;
    private int _length;

    /// <summary>Starts with no message.</summary>
    /// <param name="buffer">Borrowed; messages are written from its start.</param>
    public ControlWriter(Span<byte> buffer) => _buffer = buffer;

    /// <summary>Bytes written: goes into <see cref="MsgHdr.ControlLength"/>.</summary>
    public readonly int Length => _length;

    /// <summary>Appends one message.</summary>
    /// <param name="level">A <see cref="SocketLevel"/>.</param>
    /// <param name="type">The message's type at that level.</param>
    /// <param name="data">Its data.</param>
    /// <returns>False when it does not fit; nothing is written then.</returns>
    public bool TryAdd(int level, int type, scoped ReadOnlySpan<byte> data)
    {
        int space = ControlMessage.Space(data.Length);
        if (space > _buffer.Length - _length) return false;
        Span<byte> message = _buffer.Slice(_length, space);
        MemoryMarshal.Write(message, (nuint)ControlMessage.Length(data.Length));
        MemoryMarshal.Write(message[ControlMessage.LevelAt..], level);
        MemoryMarshal.Write(message[ControlMessage.TypeAt..], type);
        data.CopyTo(message[ControlMessage.HeaderLength..]);
        message[(ControlMessage.HeaderLength + data.Length)..].Clear();
        _length += space;
        return true;
    }

    /// <summary>Appends one message whose data is a value, such as the ushort of UDP_SEGMENT, the int of IP_TTL, a packet info.</summary>
    /// <typeparam name="T">The data's type, with the kernel's layout.</typeparam>
    /// <param name="level">A <see cref="SocketLevel"/>.</param>
    /// <param name="type">The message's type at that level.</param>
    /// <param name="value">Its data.</param>
    /// <returns>False when it does not fit; nothing is written then.</returns>
    public bool TryAdd<T>(int level, int type, T value)
        where T : unmanaged => TryAdd(level, type, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));
}

/// <summary>Walks the control messages of a received message. Lengths are checked against the buffer.</summary>
public ref struct ControlReader
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Starts before the first message.</summary>
    /// <param name="buffer">As much as the kernel said is filled.</param>
    public ControlReader(ReadOnlySpan<byte> buffer)
    {
        _rest = buffer;
        Level = 0;
        Type = 0;
        Data = default;
    }

    /// <summary>The current message's level.</summary>
    public int Level { get; private set; }

    /// <summary>The current message's type.</summary>
    public int Type { get; private set; }

    /// <summary>The current message's data.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    /// <summary>Moves to the next message.</summary>
    /// <returns>False at the end, or where a length makes no sense.</returns>
    public bool MoveNext()
    {
        if (_rest.Length < ControlMessage.HeaderLength) return false;
        nuint length = MemoryMarshal.Read<nuint>(_rest);
        if (length < ControlMessage.HeaderLength || length > (nuint)_rest.Length) return false;
        Level = MemoryMarshal.Read<int>(_rest[ControlMessage.LevelAt..]);
        Type = MemoryMarshal.Read<int>(_rest[ControlMessage.TypeAt..]);
        Data = _rest[ControlMessage.HeaderLength..(int)length];
        int space = ControlMessage.Space(Data.Length);
        _rest = space < _rest.Length ? _rest[space..] : default;
        return true;
    }

    /// <summary>Whether the current message is of this kind.</summary>
    /// <param name="level">A <see cref="SocketLevel"/>.</param>
    /// <param name="type">A type at that level.</param>
    public readonly bool Is(int level, int type) => Level == level && Type == type;

    /// <summary>The current message's data as a value.</summary>
    /// <typeparam name="T">The data's type, with the kernel's layout.</typeparam>
    /// <param name="value">The value, or zero.</param>
    /// <returns>False when there is less data than that.</returns>
    public readonly bool TryRead<T>(out T value)
        where T : unmanaged
    {
        if (Data.Length < Unsafe.SizeOf<T>())
        {
            value = default;
            return false;
        }

        value = MemoryMarshal.Read<T>(Data);
        return true;
    }
}
