using NicHost.Probe.Frontend;

namespace NicHost.Probe.Stack;

/// <summary>A few bytes of one's own, then the pattern from its beginning.</summary>
public sealed unsafe class PrefixedSource : ITcpSource
{
    private readonly byte* _prefix;
    private readonly int _prefixLength;
    private readonly PatternSource _pattern;

    /// <summary>A stream of the prefix and <paramref name="total"/> bytes.</summary>
    public PrefixedSource(GuestRam ram, ReadOnlySpan<byte> prefix, long total)
        : this(ram, prefix, new PatternSource(ram), total)
    {
    }

    /// <summary>The same over a pattern that lies in guest memory already.</summary>
    public PrefixedSource(GuestRam ram, ReadOnlySpan<byte> prefix, PatternSource pattern, long total)
    {
        _prefix = ram.Allocate(prefix.Length);
        _prefixLength = prefix.Length;

        // SAFETY: the length is that of the allocation.
        prefix.CopyTo(new Span<byte>(_prefix, prefix.Length));
        _pattern = new PatternSource(pattern, total);
    }

    /// <inheritdoc/>
    public long End => _prefixLength + _pattern.End;

    /// <inheritdoc/>
    public bool Finished => true;

    /// <inheritdoc/>
    public byte* At(long offset, int most, out int length)
    {
        if (offset >= _prefixLength) return _pattern.At(offset - _prefixLength, most, out length);
        length = Math.Min(most, _prefixLength - (int)offset);
        return _prefix + offset;
    }

    /// <inheritdoc/>
    public void Release(long offset)
    {
    }
}
