using System.Runtime.CompilerServices;

namespace NicHost.Consomme.Tcp;

/// <summary>Comparison of sequence numbers modulo 2^32 (RFC 9293 3.4): right as long as both lie within 2 GiB of each other.</summary>
internal static class Seq
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Before(uint a, uint b) => (int)(a - b) < 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool After(uint a, uint b) => (int)(a - b) > 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Max(uint a, uint b) => After(a, b) ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Min(uint a, uint b) => Before(a, b) ? a : b;
}
