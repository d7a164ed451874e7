using System.Numerics;
using System.Security.Cryptography;

namespace NicHost.Consomme.Tcp;

/// <summary>SipHash-2-4 with a secret of its own, for initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 5.4).</summary>
internal sealed class SipHash
{
    private readonly ulong _k0;
    private readonly ulong _k1;

    public SipHash()
    {
        Span<byte> key = stackalloc byte[16];
        RandomNumberGenerator.Fill(key);
        _k0 = BitConverter.ToUInt64(key);
        _k1 = BitConverter.ToUInt64(key[8..]);
    }

    public SipHash(ulong k0, ulong k1) => (_k0, _k1) = (k0, k1);

    /// <summary>Hashes whole 64-bit words.</summary>
    public ulong Compute(params ReadOnlySpan<ulong> words)
    {
        var (v0, v1) = (_k0 ^ 0x736f6d6570736575, _k1 ^ 0x646f72616e646f6d);
        var (v2, v3) = (_k0 ^ 0x6c7967656e657261, _k1 ^ 0x7465646279746573);
        foreach (var word in words) Mix(ref v0, ref v1, ref v2, ref v3, word);
        Mix(ref v0, ref v1, ref v2, ref v3, (ulong)(words.Length * 8) << 56);
        v2 ^= 0xff;
        for (var i = 0; i < 4; i++) Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Mix(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3, ulong word)
    {
        v3 ^= word;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v2 += v3;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
