using System.Buffers.Binary;

namespace NicHost.NetVsp.Vmbus;

/// <summary>A VMBus message in a private copy: a type, four bytes of nothing, and the body that the type says.</summary>
internal readonly ref struct MessageView
{
    public const int HeaderSize = 8;

    private readonly ReadOnlySpan<byte> _bytes;

    private MessageView(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public MessageType Type => (MessageType)BinaryPrimitives.ReadUInt32LittleEndian(_bytes);

    /// <summary>Bytes after the header.</summary>
    public int BodyLength => _bytes.Length - HeaderSize;

    /// <summary>Checks that there is a header and as much of a body as the type needs.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out MessageView message)
    {
        message = default;
        if (bytes.Length < HeaderSize) return false;
        message = new MessageView(bytes);
        return message.BodyLength >= MinBody(message.Type);
    }

    public ushort U16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[(HeaderSize + at)..]);

    public uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[(HeaderSize + at)..]);

    public ulong U64(int at) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes[(HeaderSize + at)..]);

    public ReadOnlySpan<byte> From(int at) => _bytes[(HeaderSize + at)..];

    private static int MinBody(MessageType type) => type switch
    {
        MessageType.Open => 20,
        MessageType.Close or MessageType.RelIdReleased => 4,
        MessageType.GpadlHeader => 20,
        MessageType.GpadlBody => 8,
        MessageType.GpadlTeardown or MessageType.Modify => 8,
        MessageType.InitiateContact => 32,
        MessageType.ConnectSocket => 32,
        _ => 0,
    };
}
