using System.Buffers.Binary;
using NicHost.Contracts.Frames;

namespace NicHost.Dio.Windows;

/// <summary>
/// What a read of a direct I/O NIC brings: frames in a chain, each behind a header of two 32-bit numbers in the host's byte order, its length and the
/// distance from this header to the next one (0: it is the last). Both are checked against what was read, whoever wrote them.
/// </summary>
internal static class FrameChain
{
    public const int HeaderSize = 8;

    /// <summary>Reads the link at an offset.</summary>
    /// <param name="bytes">What was read.</param>
    /// <param name="offset">Where the header is, 0 to the length of <paramref name="bytes"/>.</param>
    public static Link At(ReadOnlySpan<byte> bytes, int offset)
    {
        var room = bytes.Length - offset - HeaderSize;
        if (room < 0) return Link.Broken;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);
        var distance = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(offset + 4)..]);
        // A header whose numbers contradict the buffer or each other says nothing of what follows.
        if (length > (uint)room || distance > (uint)room) return Link.Broken;
        if (distance != 0 && distance < HeaderSize + length) return Link.Broken;
        var next = distance == 0 ? -1 : offset + (int)distance;
        return new Link(offset + HeaderSize, (int)length, next, length >= FrameLimits.EthernetHeader);
    }

    /// <summary>One link.</summary>
    /// <param name="Start">Where its frame starts.</param>
    /// <param name="Length">Bytes of its frame.</param>
    /// <param name="Next">Where the next header is; negative when this was the last.</param>
    /// <param name="IsSound">Whether the frame can be one.</param>
    public readonly record struct Link(int Start, int Length, int Next, bool IsSound)
    {
        public static Link Broken => new(0, 0, -1, false);
    }
}
