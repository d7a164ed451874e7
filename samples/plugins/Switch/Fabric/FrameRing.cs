using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace Samples.Switch.Fabric;

/// <summary>
/// Frames on their way from one thread to another: a ring of bytes with one writer and one reader, no locks, bounded in bytes and in frames.
/// A record is a header and the frame, which may continue at the ring's beginning.
/// </summary>
/// <remarks>Managed memory: a writer that still holds the ring of a port that is gone writes to nobody's harm.</remarks>
internal sealed unsafe class FrameRing
{
    private readonly byte[] _array;
    private readonly byte* _bytes;
    private readonly int _mask;
    private readonly int _maxFrames;
    private Positions _positions;

    /// <param name="size">Bytes, a power of two, several times the longest frame.</param>
    /// <param name="maxFrames">Frames that it holds at most.</param>
    public FrameRing(int size, int maxFrames)
    {
        _array = GC.AllocateUninitializedArray<byte>(size, pinned: true);
        // Pinned: it stays where it is for as long as this object holds it.
        _bytes = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array));
        (_mask, _maxFrames) = (size - 1, maxFrames);
    }

    /// <summary>Frames inside. Either side; for others perhaps a moment old.</summary>
    public int Count => (int)(Volatile.Read(ref _positions.Written) - Volatile.Read(ref _positions.Read));

    /// <summary>Whether at least half of it is free, in bytes and in frames.</summary>
    public bool IsHalfEmpty =>
        Volatile.Read(ref _positions.Tail) - Volatile.Read(ref _positions.Head) <= _array.Length / 2 && Count <= _maxFrames / 2;

    /// <summary>Copies a frame in; false when there is no room for it. Writer only.</summary>
    public bool TryWrite(ReadOnlySpan<Segment> frame, int length, in FrameOffload offload)
    {
        var start = Whole(_positions.Tail);
        var end = start + sizeof(Header) + Aligned(length);
        if (end - Volatile.Read(ref _positions.Head) > _array.Length || Count >= _maxFrames) return false;

        *At(start) = new Header { Length = length, Offload = offload };
        Span<Segment> room = stackalloc Segment[2];
        var parts = Body(start, length, room);
        var to = 0;
        foreach (ref readonly var segment in frame) to += SegmentOps.CopyFrom(room[..parts], to, segment.Span);

        Volatile.Write(ref _positions.Written, _positions.Written + 1);
        Volatile.Write(ref _positions.Tail, end);
        return true;
    }

    /// <summary>Looks at the oldest frame, which stays until <see cref="Release"/>. Reader only.</summary>
    /// <param name="room">Receives the frame's one or two parts.</param>
    /// <param name="parts">How many.</param>
    /// <param name="header">Its length and what is left to do for it.</param>
    public bool TryPeek(Span<Segment> room, out int parts, out Header header)
    {
        (parts, header) = (0, default);
        if (_positions.Head == Volatile.Read(ref _positions.Tail)) return false;
        var start = Whole(_positions.Head);
        header = *At(start);
        parts = Body(start, header.Length, room);
        return true;
    }

    /// <summary>Gives back the room of the frame that <see cref="TryPeek"/> showed. Reader only.</summary>
    public void Release(in Header header)
    {
        Volatile.Write(ref _positions.Read, _positions.Read + 1);
        Volatile.Write(ref _positions.Head, Whole(_positions.Head) + sizeof(Header) + Aligned(header.Length));
    }

    /// <summary>A header does not wrap around: the bytes before the ring's end that cannot hold one are passed over, by both sides alike.</summary>
    private long Whole(long position)
    {
        var left = _array.Length - (int)(position & _mask);
        return left < sizeof(Header) ? position + left : position;
    }

    // SAFETY of all that follows: a position is masked, a header fits before the end (Whole), a body is cut there.
    private Header* At(long position) => (Header*)(_bytes + (position & _mask));

    private int Body(long start, int length, Span<Segment> room)
    {
        var at = (int)((start + sizeof(Header)) & _mask);
        var first = Math.Min(length, _array.Length - at);
        room[0] = new Segment(_bytes + at, first);
        if (first == length) return 1;
        room[1] = new Segment(_bytes, length - first);
        return 2;
    }

    private static int Aligned(int length) => (length + 7) & ~7;

    /// <summary>What stands before a frame.</summary>
    public struct Header
    {
        public int Length;
        public FrameOffload Offload;
    }

    /// <summary>Each side's own on a cache line of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Positions
    {
        [FieldOffset(64)]
        public long Tail;

        [FieldOffset(72)]
        public long Written;

        [FieldOffset(192)]
        public long Head;

        [FieldOffset(200)]
        public long Read;
    }
}
