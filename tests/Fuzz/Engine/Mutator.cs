using System.Buffers.Binary;

namespace NicHost.Fuzz.Engine;

/// <summary>Changes an input in the ways that find mistakes in parsers: bits, edges of numbers, lengths, blocks moved and doubled, others' pieces.</summary>
internal sealed class Mutator(int seed, int maxLength, IReadOnlyList<byte[]> dictionary)
{
    private static readonly uint[] s_edges =
    [
        0, 1, 2, 3, 4, 7, 8, 15, 16, 19, 20, 31, 32, 39, 40, 63, 64, 127, 128, 255, 256, 511, 512, 1023, 1024, 1500, 4095, 4096,
        0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
    ];

    private readonly Random _random = new(seed);

    /// <summary>A changed copy of <paramref name="from"/>.</summary>
    public byte[] Mutate(byte[] from, byte[] other)
    {
        var bytes = new List<byte>(from);
        for (var left = 1 << _random.Next(5); left > 0; left--) Step(bytes, other);
        if (bytes.Count > maxLength) bytes.RemoveRange(maxLength, bytes.Count - maxLength);
        return [.. bytes];
    }

    private void Step(List<byte> bytes, byte[] other)
    {
        if (bytes.Count == 0)
        {
            bytes.Add((byte)_random.Next(256));
            return;
        }
        var at = _random.Next(bytes.Count);
        switch (_random.Next(10))
        {
            case 0: bytes[at] ^= (byte)(1 << _random.Next(8)); break;
            case 1: bytes[at] = (byte)_random.Next(256); break;
            case 2: bytes[at] = (byte)(bytes[at] + _random.Next(-16, 17)); break;
            case 3: WriteEdge(bytes, at); break;
            case 4: Duplicate(bytes, at); break;
            case 5: bytes.RemoveRange(at, Math.Min(Length(), bytes.Count - at)); break;
            case 6: Insert(bytes, at, RandomBytes()); break;
            case 7: Overwrite(bytes, at, Piece(other)); break;
            case 8: Insert(bytes, at, Piece(other)); break;
            default:
                if (dictionary.Count == 0) goto case 3;
                var token = dictionary[_random.Next(dictionary.Count)];
                if (_random.Next(2) == 0) Overwrite(bytes, at, token);
                else Insert(bytes, at, token);
                break;
        }
    }

    private int Length() => _random.Next(4) == 0 ? _random.Next(1, 256) : _random.Next(1, 17);

    private void WriteEdge(List<byte> bytes, int at)
    {
        var value = s_edges[_random.Next(s_edges.Length)];
        if (_random.Next(4) == 0) value += (uint)_random.Next(-2, 3);
        Span<byte> raw = stackalloc byte[4];
        var size = 1 << _random.Next(3);
        if (_random.Next(2) == 0)
        {
            BinaryPrimitives.WriteUInt32BigEndian(raw, value);
            raw = raw[(4 - size)..];
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(raw, value);
            raw = raw[..size];
        }
        Overwrite(bytes, at, raw);
    }

    private void Duplicate(List<byte> bytes, int at)
    {
        var piece = bytes.GetRange(at, Math.Min(Length(), bytes.Count - at));
        if (bytes.Count + piece.Count <= maxLength) bytes.InsertRange(_random.Next(bytes.Count + 1), piece);
    }

    private byte[] RandomBytes()
    {
        var bytes = new byte[Length()];
        if (_random.Next(3) == 0) Array.Fill(bytes, (byte)_random.Next(256));
        else _random.NextBytes(bytes);
        return bytes;
    }

    private ReadOnlySpan<byte> Piece(byte[] other)
    {
        if (other.Length == 0) return default;
        var from = _random.Next(other.Length);
        return other.AsSpan(from, Math.Min(Length(), other.Length - from));
    }

    private void Insert(List<byte> bytes, int at, ReadOnlySpan<byte> piece)
    {
        if (bytes.Count + piece.Length <= maxLength) bytes.InsertRange(at, piece);
    }

    private static void Overwrite(List<byte> bytes, int at, ReadOnlySpan<byte> piece)
    {
        for (var i = 0; i < piece.Length && at + i < bytes.Count; i++) bytes[at + i] = piece[i];
    }
}
