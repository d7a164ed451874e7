namespace NicHost.Dio.Windows;

/// <summary>
/// The reads of a NIC: all run at once, and are taken in the order in which they were started, for that is the order of the frames. Loop thread only.
/// </summary>
internal sealed unsafe class FrameReads(IVmNic nic, Operations operations)
{
    public const int InFlight = 4;

    /// <summary>What direct I/O NICs are known to take: 32 KiB less three bytes.</summary>
    public const int BufferSize = 32765;

    private int _head;
    private int _length = -1;
    private int _offset;
    private FrameChain.Link _link;

    /// <summary>What <see cref="Peek"/> found.</summary>
    internal enum Found
    {
        /// <summary>The next read still runs: its event tells.</summary>
        Nothing,

        /// <summary>A frame.</summary>
        Frame,

        /// <summary>Something that is no frame, to be passed by as one is.</summary>
        Malformed,

        /// <summary>A read ended with an error, or could not be started.</summary>
        Failure,
    }

    /// <summary>Reads that ended with frames. Any thread, perhaps a moment old, as <see cref="Frames"/>.</summary>
    public long Chains { get; private set; }

    /// <summary>Frames in them that were passed by.</summary>
    public long Frames { get; private set; }

    /// <summary>Why reads fail.</summary>
    public string? Failure { get; private set; }

    /// <summary>Starts all of them.</summary>
    public void Start()
    {
        for (var i = 0; i < operations.Count && Failure is null; i++) Start(i);
    }

    /// <summary>The next frame. It stays the next one until <see cref="Advance"/>.</summary>
    /// <param name="frame">Its bytes; they are there until then.</param>
    public Found Peek(out ReadOnlySpan<byte> frame)
    {
        frame = default;
        if (_length < 0)
        {
            if (!operations.IsRunning(_head)) return Found.Failure;
            if (!operations.TryCollect(_head, out var status, out var length)) return Failure is null ? Found.Nothing : Found.Failure;
            if (!Accept(status, length)) return Found.Failure;
            Chains++;
        }
        // SAFETY: _length is at most the buffer's size, and the read does not run.
        var bytes = new ReadOnlySpan<byte>(operations.Buffer(_head), _length);
        _link = FrameChain.At(bytes, _offset);
        if (!_link.IsSound) return Found.Malformed;
        frame = bytes.Slice(_link.Start, _link.Length);
        return Found.Frame;
    }

    /// <summary>Passes by what <see cref="Peek"/> found; behind the last of a chain its read starts anew.</summary>
    public void Advance()
    {
        if (_link.IsSound) Frames++;
        _offset = _link.Next;
        if (_offset >= 0) return;
        _length = -1;
        Start(_head);
        _head = (_head + 1) % operations.Count;
    }

    private bool Accept(uint status, ulong length)
    {
        if (status is not (WindowsError.StatusSuccess or WindowsError.StatusBufferOverflow))
        {
            Failure = $"reading from it ended with status 0x{status:x8}";
            return false;
        }
        // More than there is room for: nothing of it can be trusted.
        _length = status == WindowsError.StatusSuccess && length <= BufferSize ? (int)length : 0;
        _offset = 0;
        return true;
    }

    private void Start(int index)
    {
        var error = nic.Read(operations.Buffer(index), BufferSize, operations.Ready(index));
        if (!operations.Started(index, error)) Failure ??= $"reading from it failed: {WindowsError.Describe(error)}";
    }
}
