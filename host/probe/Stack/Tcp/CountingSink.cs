namespace NicHost.Probe.Stack;

/// <summary>Counts what comes, and can check it against the pattern.</summary>
public sealed class CountingSink(bool verify = false) : ITcpSink
{
    /// <summary>The most bytes in flight.</summary>
    public const int Window = 4 << 20;

    /// <summary>Bytes received.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes from the first wrong one of a piece to its end.</summary>
    public long Wrong { get; private set; }

    /// <summary>Room to show; 0 closes the window.</summary>
    public int Room { get; set; } = Window;

    /// <inheritdoc/>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        if (!verify)
        {
            Bytes += bytes.Length;
            return;
        }
        while (bytes.Length > 0)
        {
            var expected = PatternSource.From(Bytes);
            var part = bytes[..Math.Min(bytes.Length, expected.Length)];
            if (!part.SequenceEqual(expected[..part.Length])) Wrong += part.Length - part.CommonPrefixLength(expected);
            Bytes += part.Length;
            bytes = bytes[part.Length..];
        }
    }
}
