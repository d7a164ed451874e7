using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Linux;

namespace NicHost.Probe.Stack;

/// <summary>What a stack sends through: one NIC. One thread.</summary>
public unsafe interface ILink
{
    /// <summary>Our address.</summary>
    MacAddress Mac { get; }

    /// <summary>The largest IP packet.</summary>
    int Mtu { get; }

    /// <summary>What frames may leave to the other side.</summary>
    OffloadSet TxOffloads { get; }

    /// <summary>Takes room for a frame of a flow (which spreads over queue pairs): at least <paramref name="length"/> bytes, to be filled from the Ethernet header on.</summary>
    /// <returns>False when the ring is full; try again after the next poll.</returns>
    bool TryBegin(uint flow, int length, out Span<byte> room);

    /// <summary>Sends the frame for which <see cref="TryBegin"/> gave room.</summary>
    /// <param name="length">Bytes of the room that were filled.</param>
    /// <param name="tail">Guest memory that follows them in the frame, left in place until the frame is sent; may be null.</param>
    /// <param name="tailLength">Its length.</param>
    /// <param name="offload">What the other side finishes.</param>
    void Send(int length, byte* tail, int tailLength, in FrameOffload offload);
}

/// <summary>What takes received frames.</summary>
public interface IFrameSink
{
    /// <summary>Looks at one frame, which is gone when the method returns.</summary>
    void Receive(in RxFrame frame);
}

/// <summary>A received frame in the driver's buffers.</summary>
public readonly unsafe ref struct RxFrame
{
    private readonly ReadOnlySpan<IoVec> _segments;

    /// <summary>Wraps buffers that together hold the frame.</summary>
    public RxFrame(ReadOnlySpan<IoVec> segments, int length, in FrameOffload offload)
    {
        _segments = segments;
        Length = length;
        Offload = offload;
    }

    /// <summary>Bytes, Ethernet header included.</summary>
    public int Length { get; }

    /// <summary>What the sender left open or vouches for.</summary>
    public FrameOffload Offload { get; }

    /// <summary>The frame's buffers.</summary>
    public ReadOnlySpan<IoVec> Segments => _segments;

    /// <summary>The first buffer.</summary>
    // SAFETY: the driver checked the segment against the buffer that it had posted.
    public ReadOnlySpan<byte> Head => new((void*)_segments[0].Base, (int)_segments[0].Length);

    /// <summary>Copies the frame's first bytes.</summary>
    /// <returns>Bytes copied.</returns>
    public int CopyTo(Span<byte> destination) => CopyTo(0, destination);

    /// <summary>Copies bytes from <paramref name="offset"/> on.</summary>
    /// <returns>Bytes copied.</returns>
    public int CopyTo(int offset, Span<byte> destination)
    {
        var done = 0;
        foreach (ref readonly var segment in _segments)
        {
            var length = (int)segment.Length;
            if (offset >= length)
            {
                offset -= length;
                continue;
            }

            // SAFETY: offset < length, and the count is bounded by both sides.
            var part = new ReadOnlySpan<byte>((byte*)segment.Base + offset, Math.Min(length - offset, destination.Length - done));
            part.CopyTo(destination[done..]);
            done += part.Length;
            offset = 0;
            if (done == destination.Length) break;
        }
        return done;
    }
}
