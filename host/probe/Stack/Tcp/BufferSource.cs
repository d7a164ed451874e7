using NicHost.Probe.Frontend;

namespace NicHost.Probe.Stack;

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
