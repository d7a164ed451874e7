using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace NicHost.EndToEnd.Tests.Lab;

/// <summary>The pseudo-random stream of a seed (xorshift64*): the same on every machine, without long repeats.</summary>
internal sealed class TestBytes(ulong seed)
{
    private ulong _state = (seed + 1) * 0x9E3779B97F4A7C15;

    /// <summary>Fills whole words; a last buffer of another length ends the stream.</summary>
    public void Fill(Span<byte> buffer)
    {
        var whole = MemoryMarshal.Cast<byte, ulong>(buffer);
        for (var i = 0; i < whole.Length; i++)
            whole[i] = Next();
        var rest = buffer[(whole.Length * 8)..];
        for (ulong word = rest.IsEmpty ? 0 : Next(), i = 0; i < (ulong)rest.Length; i++, word >>= 8)
            rest[(int)i] = (byte)word;
    }

    /// <summary>SHA-256 of the seed's first <paramref name="size"/> bytes, beginning at <paramref name="offset"/> and wrapped round.</summary>
    public static string Sha256(ulong seed, int size, int offset = 0)
    {
        var all = new byte[size];
        new TestBytes(seed).Fill(all);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(all, offset, size - offset);
        hash.AppendData(all, 0, offset);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private ulong Next()
    {
        _state ^= _state >> 12;
        _state ^= _state << 25;
        _state ^= _state >> 27;
        return _state * 0x2545F4914F6CDD1D;
    }
}
