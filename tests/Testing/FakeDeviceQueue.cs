using System.Runtime.InteropServices;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicHost.Testing;

/// <summary>
/// A device's queue without a guest: receive buffers of a fixed size in native memory, and a list of what was committed. It holds the
/// endpoint to the contract and throws where it is broken.
/// </summary>
public sealed unsafe class FakeDeviceQueue : IDeviceQueue, IDisposable
{
    private readonly byte* _memory;
    private readonly int _bufferSize;
    private readonly Queue<int> _free = new();
    private readonly Queue<int> _reserved = new();
    private readonly Queue<(int Id, int Buffers, int Length)> _open = new();
    private int _nextTicket;

    /// <summary>Makes a queue with <paramref name="buffers"/> posted buffers of <paramref name="bufferSize"/> bytes.</summary>
    public FakeDeviceQueue(int buffers = 256, int bufferSize = 1536, OffloadSet accepted = OffloadSet.None)
    {
        _bufferSize = bufferSize;
        Accepted = accepted;
        _memory = (byte*)NativeMemory.AllocZeroed((nuint)(buffers * bufferSize));
        for (var i = 0; i < buffers; i++) _free.Enqueue(i);
    }

    /// <summary>What the guest accepted; committing anything else throws.</summary>
    public OffloadSet Accepted { get; set; }

    /// <summary>Frames committed, oldest first. Their buffers are posted anew at once.</summary>
    public List<ReceivedFrame> Received { get; } = [];

    /// <summary>Whether committed frames are kept in <see cref="Received"/>; off for measurements of allocation.</summary>
    public bool Record { get; set; } = true;

    public long Commits { get; private set; }

    public long CommittedBytes { get; private set; }

    public int Flushes { get; private set; }

    public int TransmitReadies { get; private set; }

    /// <summary>Buffers that the guest has posted and nobody has reserved.</summary>
    public int FreeBuffers => Math.Max(0, _free.Count - Withheld);

    /// <summary>Buffers that the guest is taken not to have posted: set it high to play a guest without buffers.</summary>
    public int Withheld { get; set; }

    /// <summary>Reservations neither committed nor released: 0 whenever the endpoint has returned.</summary>
    public int OpenReservations => _open.Count;

    /// <summary>Set by the test when the queue is closed: any call afterwards throws.</summary>
    public bool IsClosed { get; set; }

    public int Reserve(int length, Span<Segment> segments, out RxTicket ticket)
    {
        Check();
        if (length <= 0) throw new InvalidOperationException($"Reserved {length} bytes.");
        ticket = default;
        var count = (length + _bufferSize - 1) / _bufferSize;
        if (count > FreeBuffers || count > segments.Length) return 0;
        for (var i = 0; i < count; i++)
        {
            var buffer = _free.Dequeue();
            _reserved.Enqueue(buffer);
            segments[i] = new Segment(_memory + (buffer * _bufferSize), _bufferSize);
        }
        ticket = new RxTicket(_nextTicket++, count);
        _open.Enqueue((ticket.First, count, length));
        return count;
    }

    public void Commit(RxTicket ticket, int length, in FrameOffload offload)
    {
        Check();
        var (id, buffers, reserved) = _open.Dequeue();
        if (id != ticket.First) throw new InvalidOperationException($"Committed reservation {ticket.First} before {id}.");
        if (length <= 0 || length > reserved) throw new InvalidOperationException($"Committed {length} of {reserved} bytes.");
        RefuseUnaccepted(offload, length);
        Commits++;
        CommittedBytes += length;
        var bytes = Record ? new byte[length] : null;
        for (var i = 0; i < buffers; i++)
        {
            var buffer = _reserved.Dequeue();
            var at = i * _bufferSize;
            if (bytes is not null && at < length)
                new ReadOnlySpan<byte>(_memory + (buffer * _bufferSize), Math.Min(_bufferSize, length - at)).CopyTo(bytes.AsSpan(at));
            _free.Enqueue(buffer);
        }
        if (bytes is not null) Received.Add(new ReceivedFrame(bytes, offload));
    }

    public void Release(RxTicket ticket)
    {
        Check();
        var (id, buffers, _) = _open.Dequeue();
        if (id != ticket.First) throw new InvalidOperationException($"Released reservation {ticket.First} before {id}.");
        for (var i = 0; i < buffers; i++) _free.Enqueue(_reserved.Dequeue());
    }

    public void Flush()
    {
        Check();
        Flushes++;
    }

    public void TransmitReady()
    {
        Check();
        TransmitReadies++;
    }

    /// <summary>Takes the oldest committed frame; fails when there is none.</summary>
    public ReceivedFrame Take()
    {
        if (Received.Count == 0) throw new InvalidOperationException("Nothing was committed.");
        var frame = Received[0];
        Received.RemoveAt(0);
        return frame;
    }

    public void Dispose() => NativeMemory.Free(_memory);

    private void Check()
    {
        if (IsClosed) throw new InvalidOperationException("The endpoint called a closed queue.");
    }

    private void RefuseUnaccepted(in FrameOffload offload, int length)
    {
        var needed = offload.Gso switch
        {
            GsoKind.TcpV4 => OffloadSet.TsoV4,
            GsoKind.TcpV6 => OffloadSet.TsoV6,
            GsoKind.Udp => Accepted & (OffloadSet.UsoV4 | OffloadSet.UsoV6),
            _ => OffloadSet.None,
        };
        if (offload.Gso == GsoKind.Udp && needed == OffloadSet.None) needed = OffloadSet.UsoV4;
        if (offload.Checksum != ChecksumState.Unknown) needed |= OffloadSet.Checksum;
        if (offload.Flags.Has(FrameFlags.Vlan)) needed |= OffloadSet.Vlan;
        if ((Accepted & needed) != needed) throw new InvalidOperationException($"Committed {needed}, but the guest accepted {Accepted}.");
        if (offload.Gso != GsoKind.None && offload.SegmentSize == 0) throw new InvalidOperationException("A super-frame without segment size.");
        if (offload.Checksum == ChecksumState.Partial && offload.ChecksumStart + offload.ChecksumOffset + 2 > length)
            throw new InvalidOperationException("The checksum lies outside the frame.");
    }
}

/// <summary>A frame as the guest received it.</summary>
public sealed record ReceivedFrame(byte[] Bytes, FrameOffload Offload);
