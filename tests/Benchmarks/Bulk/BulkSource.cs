using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;

namespace NicHost.Benchmarks.Bulk;

/// <summary>The byte that says what a connection is for, then as much of the pattern as one likes.</summary>
internal sealed unsafe class BulkSource : ITcpSource
{
    private readonly byte* _kind;
    private readonly PatternSource _pattern;

    public BulkSource(GuestRam ram, char kind, PatternSource pattern, long total)
    {
        _kind = ram.Allocate(1, 1);
        *_kind = (byte)kind;
        _pattern = new PatternSource(pattern, total - 1);
    }

    public long End => 1 + _pattern.End;

    public bool Finished { get; init; }

    public void Extend(long bytes) => _pattern.Extend(bytes);

    public byte* At(long offset, int most, out int length)
    {
        if (offset > 0) return _pattern.At(offset - 1, most, out length);
        length = 1;
        return _kind;
    }

    public void Release(long offset)
    {
    }
}
