using System.Buffers.Binary;

namespace NicHost.Fuzz.Targets;

/// <summary>Reads an input as a script: small numbers and blocks, zeros where it has ended.</summary>
internal ref struct ScriptReader(ReadOnlySpan<byte> input)
{
    private ReadOnlySpan<byte> _rest = input;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public byte Byte()
    {
        if (_rest.IsEmpty) return 0;
        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public ushort Word() => (ushort)(Byte() | (Byte() << 8));

    public uint Double() => Word() | ((uint)Word() << 16);

    public ReadOnlySpan<byte> Block(int length)
    {
        length = Math.Min(length, _rest.Length);
        var block = _rest[..length];
        _rest = _rest[length..];
        return block;
    }
}

/// <summary>Writes scripts, for seeds.</summary>
internal sealed class ScriptWriter
{
    private readonly List<byte> _bytes = [];

    public ScriptWriter Byte(int value)
    {
        _bytes.Add((byte)value);
        return this;
    }

    public ScriptWriter Word(int value) => Byte(value).Byte(value >> 8);

    public ScriptWriter Double(uint value) => Word((ushort)value).Word((int)(value >> 16));

    public ScriptWriter Block(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public ScriptWriter Words(params ulong[] words)
    {
        Span<byte> raw = stackalloc byte[8];
        foreach (var word in words)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(raw, word);
            _bytes.AddRange(raw);
        }
        return this;
    }

    public byte[] ToArray() => [.. _bytes];
}
