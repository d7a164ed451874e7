using System.Buffers;
using NicHost.Contracts.Memory;

namespace NicHost.Consomme.Tcp;

/// <summary>
/// What the guest sent within its window and the socket would not take after all (its accounting counts overheads). It is ours then and
/// was acknowledged: a guest would otherwise lose it and wait for its timer.
/// </summary>
internal sealed class Spill
{
    /// <summary>The most that one flow may spill: beyond it, the guest sends again.</summary>
    public const int Capacity = 256 << 10;

    private byte[] _buffer = [];
    private int _start;
    private int _end;

    public ReadOnlySpan<byte> Pending => _buffer.AsSpan(_start, _end - _start);

    public int Room => Capacity - _end;

    public void Open() => (_buffer, _start, _end) = (ArrayPool<byte>.Shared.Rent(Capacity), 0, 0);

    public void Close()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    /// <summary>Keeps bytes of guest memory, starting <paramref name="offset"/> bytes into the run.</summary>
    /// <returns>How many were kept.</returns>
    public int Append(ReadOnlySpan<Segment> segments, int offset, int length)
    {
        var kept = SegmentOps.CopyTo(segments, offset, _buffer.AsSpan(_end, Math.Min(length, Room)));
        _end += kept;
        return kept;
    }

    public void Consume(int count) => _start += count;
}
