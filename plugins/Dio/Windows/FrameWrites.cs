using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicHost.Dio.Windows;

/// <summary>The writes of a NIC, each of one frame in a buffer of its own; they end in any order. Loop thread only.</summary>
internal sealed unsafe class FrameWrites(IVmNic nic, Operations operations)
{
    public const int InFlight = 32;
    public const int BufferSize = 1536;

    /// <summary>Shorter ones are filled up with zeros: vmswitch takes what Ethernet would carry, without its checksum (IEEE 802.3).</summary>
    public const int MinFrame = 60;

    /// <summary>The longest frame of a port, without and with a tag.</summary>
    public const int MaxFrame = FrameLimits.EthernetHeader + VmSwitchNic.MaxMtu;
    public const int MaxTaggedFrame = MaxFrame + 4;

    /// <summary>What became of a frame.</summary>
    internal enum Outcome
    {
        /// <summary>It is on its way.</summary>
        Sent,

        /// <summary>Every buffer is on its way: it was not taken.</summary>
        NoRoom,

        /// <summary>It is longer than a port carries.</summary>
        TooLong,

        /// <summary>Its segments hold fewer bytes than it says.</summary>
        Malformed,

        /// <summary>Windows did not take it.</summary>
        Failed,
    }

    /// <summary>Whether some are on their way.</summary>
    public bool AnyRuns => operations.Running > 0;

    /// <summary>Whether there is room for one more.</summary>
    public bool HasRoom => !operations.AreAllRunning;

    /// <summary>Writes that were started. Any thread, perhaps a moment old, as <see cref="Failures"/>.</summary>
    public long Frames { get; private set; }

    /// <summary>Writes that Windows refused or that ended with an error.</summary>
    public long Failures { get; private set; }

    /// <summary>The last failure; null while there was none.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>Copies a frame out of the guest's memory, once, and sends the copy.</summary>
    public Outcome Send(ReadOnlySpan<Segment> segments, int length)
    {
        if (length > MaxTaggedFrame) return Outcome.TooLong;
        if (!HasRoom) return Outcome.NoRoom;
        var index = operations.Free;
        // SAFETY: BufferSize exceeds MaxTaggedFrame and MinFrame, and the operation of this buffer does not run.
        var buffer = new Span<byte>(operations.Buffer(index), BufferSize);
        // Of a frame that cannot be copied whole nothing is sent: the buffer holds part of an older one.
        if (SegmentOps.CopyTo(segments, 0, buffer[..length]) != length) return Outcome.Malformed;
        if (length > MaxFrame && !VlanTag.IsTagged(buffer[..length])) return Outcome.TooLong;
        if (length < MinFrame)
        {
            buffer[length..MinFrame].Clear();
            length = MinFrame;
        }
        var error = nic.Write(operations.Buffer(index), length, operations.Ready(index));
        if (operations.Started(index, error))
        {
            Frames++;
            return Outcome.Sent;
        }
        Failures++;
        LastFailure = WindowsError.Describe(error);
        return Outcome.Failed;
    }

    /// <summary>Collects those that are done.</summary>
    /// <returns>How many of them failed.</returns>
    public int Collect()
    {
        var failed = 0;
        for (var i = 0; i < operations.Count; i++)
        {
            if (!operations.IsRunning(i) || !operations.TryCollect(i, out var status, out _) || status == WindowsError.StatusSuccess) continue;
            failed++;
            Failures++;
            LastFailure = $"status 0x{status:x8}";
        }
        return failed;
    }
}
