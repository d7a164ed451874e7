namespace NicHost.NetVsp.Rndis;

/// <summary>
/// The Toeplitz hash with tables: for each byte of input and each of its values the share of the sum is known beforehand. Addresses and ports
/// of IPv6 are 36 bytes of input.
/// </summary>
internal sealed class Toeplitz
{
    /// <summary>The longest input: two IPv6 addresses and two ports.</summary>
    public const int MaxInput = 36;

    private readonly uint[] _shares = new uint[MaxInput * 256];

    /// <param name="key">40 bytes: 36 of input and 32 bits more.</param>
    public Toeplitz(ReadOnlySpan<byte> key)
    {
        for (var at = 0; at < MaxInput; at++)
        {
            for (var value = 1; value < 256; value++)
            {
                uint sum = 0;
                for (var bit = 0; bit < 8; bit++)
                {
                    if ((value & (0x80 >> bit)) != 0) sum ^= Window(key, (at * 8) + bit);
                }
                _shares[(at * 256) + value] = sum;
            }
        }
    }

    /// <summary>The hash of up to <see cref="MaxInput"/> bytes.</summary>
    public uint Of(ReadOnlySpan<byte> input)
    {
        uint hash = 0;
        for (var i = 0; i < input.Length; i++) hash ^= _shares[(i * 256) + input[i]];
        return hash;
    }

    /// <summary>32 bits of the key from one of its bits on.</summary>
    private static uint Window(ReadOnlySpan<byte> key, int bit)
    {
        ulong bits = 0;
        for (var i = 0; i < 5; i++) bits = (bits << 8) | (bit / 8 + i < key.Length ? key[(bit / 8) + i] : (byte)0);
        return (uint)(bits >> (8 - (bit % 8)));
    }
}
