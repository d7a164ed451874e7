using NicHost.Probe.Frontend;

namespace NicHost.Probe.Stack;

/// <summary>A stream whose byte at offset i is known to both sides, sent from one constant place in guest memory: nothing is copied.</summary>
public sealed unsafe class PatternSource : ITcpSource
{
    /// <summary>A prime, so that no misplaced segment looks right.</summary>
    public const int Period = 65521;

    private const int Longest = 65536;

    private static readonly byte[] Bytes = Compute();

    private readonly byte* _pattern;

    /// <summary>Writes the pattern into guest memory; several sources may share one through the other constructor.</summary>
    public PatternSource(GuestRam ram)
    {
        _pattern = ram.Allocate(Period + Longest, 4096);

        // SAFETY: the length is that of the allocation.
        Bytes.CopyTo(new Span<byte>(_pattern, Period + Longest));
    }

    /// <summary>Another stream over the same memory.</summary>
    public PatternSource(PatternSource other, long total)
    {
        _pattern = other._pattern;
        End = total;
    }

    /// <inheritdoc/>
    public long End { get; private set; }

    /// <inheritdoc/>
    public bool Finished { get; set; } = true;

    /// <summary>Where the pattern lies; 64 KiB can be read from any offset below <see cref="Period"/>.</summary>
    public byte* Memory => _pattern;

    /// <summary>Makes the stream longer.</summary>
    public void Extend(long bytes) => End += bytes;

    /// <summary>The pattern's byte at a stream offset.</summary>
    public static byte ByteAt(long offset) => Bytes[(int)(offset % Period)];

    /// <summary>The stream from an offset on: at least 64 KiB of it.</summary>
    public static ReadOnlySpan<byte> From(long offset) => Bytes.AsSpan((int)(offset % Period));

    /// <summary>Fills memory with the pattern.</summary>
    public static void Fill(Span<byte> memory, long offset)
    {
        while (memory.Length > 0)
        {
            var part = From(offset);
            part = part[..Math.Min(part.Length, memory.Length)];
            part.CopyTo(memory);
            offset += part.Length;
            memory = memory[part.Length..];
        }
    }

    private static byte[] Compute()
    {
        var bytes = new byte[Period + Longest];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)((uint)(i % Period) * 2654435761u >> 24);
        return bytes;
    }

    /// <inheritdoc/>
    public byte* At(long offset, int most, out int length)
    {
        length = (int)Math.Min(Math.Min(most, Longest), End - offset);
        return _pattern + (offset % Period);
    }

    /// <inheritdoc/>
    public void Release(long offset)
    {
    }
}
