using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicDevice1;

/// <summary>
/// From the socket's bytes to batches of frames. Each frame follows its length in four bytes, big end first. What is read here is private
/// memory: the guest cannot change it any more.
/// </summary>
internal sealed unsafe class IncomingFrames(QueueCounters counters, int maxFrame)
{
    private const int Prefix = sizeof(int);

    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(4 * (Prefix + FrameLimits.MaxFrame), pinned: true);
    private readonly TxFrame[] _frames = new TxFrame[FrameLimits.MaxBatch];
    private readonly Segment[] _segments = new Segment[FrameLimits.MaxBatch];
    private int _start;
    private int _end;

    /// <summary>How a round ended.</summary>
    public enum Outcome
    {
        /// <summary>No whole frame is left.</summary>
        Drained,

        /// <summary>The endpoint took fewer than there are.</summary>
        Stalled,

        /// <summary>The lengths make no sense: the stream cannot be read any further.</summary>
        Broken,
    }

    /// <summary>Where to read to; never empty once every whole frame was handed over.</summary>
    public Span<byte> Room
    {
        get
        {
            if (_start > 0)
            {
                _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
                (_start, _end) = (0, _end - _start);
            }
            return _bytes.AsSpan(_end);
        }
    }

    /// <summary>So many bytes were read.</summary>
    public void Filled(int count) => _end += count;

    /// <summary>Hands over every whole frame.</summary>
    public Outcome HandTo(IEndpointQueue endpoint)
    {
        while (true)
        {
            var count = Gather();
            if (count < 0) return Outcome.Broken;
            if (count == 0) return Outcome.Drained;
            var taken = endpoint.Transmit(new TxBatch(_frames.AsSpan(0, count), _segments.AsSpan(0, count)));
            for (var i = 0; i < taken; i++)
            {
                _start += Prefix + _frames[i].Length;
                counters.TxFrames++;
                counters.TxBytes += _frames[i].Length;
            }
            if (taken < count) return Outcome.Stalled;
        }
    }

    /// <summary>Collects whole frames from the start on; what is no frame is dropped on the way.</summary>
    private int Gather()
    {
        var count = 0;
        for (var at = _start; count < _frames.Length && _end - at >= Prefix;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(_bytes.AsSpan(at));
            if (length is < 0 or > FrameLimits.MaxFrame) return count == 0 ? -1 : count;
            if (_end - at - Prefix < length) break;
            if (length < FrameLimits.EthernetHeader || length > maxFrame)
            {
                if (count > 0) break;
                counters.DropTx(length > maxFrame ? DropReason.TooLong : DropReason.Malformed);
                at = _start += Prefix + length;
                continue;
            }
            // SAFETY: at + Prefix + length <= _end, and the array is pinned.
            var first = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_bytes)) + at + Prefix;
            _segments[count] = new Segment(first, length);
            _frames[count] = new TxFrame { FirstSegment = count, SegmentCount = 1, Length = length };
            count++;
            at += Prefix + length;
        }
        return count;
    }
}
