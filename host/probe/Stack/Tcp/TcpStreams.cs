using NicHost.Probe.Frontend;

namespace NicHost.Probe.Stack;

/// <summary>The bytes that a connection sends, as places in guest memory. What has been handed out stays in place until it is released.</summary>
public unsafe interface ITcpSource
{
    /// <summary>Bytes written so far, counted from the beginning of the stream.</summary>
    long End { get; }

    /// <summary>Whether nothing follows after <see cref="End"/>: a FIN is sent then.</summary>
    bool Finished { get; }

    /// <summary>A place in guest memory that holds the stream from <paramref name="offset"/> on.</summary>
    /// <param name="offset">Below <see cref="End"/>, not below what was released.</param>
    /// <param name="most">Bytes wanted.</param>
    /// <param name="length">Bytes there, at least 1, at most <paramref name="most"/>.</param>
    byte* At(long offset, int most, out int length);

    /// <summary>The peer has acknowledged everything below <paramref name="offset"/>.</summary>
    void Release(long offset);
}

/// <summary>What a connection receives.</summary>
public interface ITcpSink
{
    /// <summary>Bytes that may come: the window.</summary>
    int Room { get; }

    /// <summary>The next bytes of the stream; gone when the method returns.</summary>
    void Take(ReadOnlySpan<byte> bytes);
}

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

/// <summary>A stream that is written bit by bit, through a ring in guest memory.</summary>
public sealed unsafe class BufferSource : ITcpSource
{
    private readonly byte* _ring;
    private readonly int _size;
    private long _released;

    /// <summary>Takes memory for the ring.</summary>
    public BufferSource(GuestRam ram, int size = 16384)
    {
        _ring = ram.Allocate(size);
        _size = size;
    }

    /// <inheritdoc/>
    public long End { get; private set; }

    /// <inheritdoc/>
    public bool Finished { get; private set; }

    /// <summary>Appends bytes.</summary>
    /// <returns>How many fitted.</returns>
    public int Write(ReadOnlySpan<byte> bytes)
    {
        var count = (int)Math.Min(bytes.Length, _size - (End - _released));
        for (var done = 0; done < count;)
        {
            var at = (int)((End + done) % _size);
            var part = Math.Min(count - done, _size - at);

            // SAFETY: at + part is at most the ring's size.
            bytes.Slice(done, part).CopyTo(new Span<byte>(_ring + at, part));
            done += part;
        }
        End += count;
        return count;
    }

    /// <summary>Ends the stream.</summary>
    public void Finish() => Finished = true;

    /// <summary>Begins a new stream in the same memory.</summary>
    public void Restart()
    {
        End = _released = 0;
        Finished = false;
    }

    /// <inheritdoc/>
    public byte* At(long offset, int most, out int length)
    {
        var at = (int)(offset % _size);
        length = (int)Math.Min(Math.Min(most, _size - at), End - offset);
        return _ring + at;
    }

    /// <inheritdoc/>
    public void Release(long offset) => _released = Math.Max(_released, offset);
}

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

/// <summary>Keeps what comes.</summary>
public sealed class BufferSink(int capacity = 65536) : ITcpSink
{
    private readonly byte[] _bytes = new byte[capacity];
    private int _count;

    /// <inheritdoc/>
    public int Room => _bytes.Length - _count;

    /// <summary>What has come and was not yet consumed.</summary>
    public ReadOnlySpan<byte> Content => _bytes.AsSpan(0, _count);

    /// <summary>Throws away the first bytes.</summary>
    public void Consume(int count)
    {
        _bytes.AsSpan(count, _count - count).CopyTo(_bytes);
        _count -= count;
    }

    /// <inheritdoc/>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(_count));
        _count += bytes.Length;
    }
}
