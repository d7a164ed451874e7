using NicHost.Linux;
using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Driver;

/// <summary>The receiving side of a queue pair: equal buffers, one descriptor each, merged by the device where MRG_RXBUF is in force. One thread.</summary>
public sealed unsafe class RxQueue : IDisposable
{
    private const int Portion = 16;

    private readonly byte* _buffers;
    private readonly int _bufferSize;
    private readonly bool _mergeable;
    private readonly bool _eventIndex;
    private readonly FaultLog _faults;
    private readonly IoVec[] _segments;
    private readonly bool[] _posted;
    private ushort _avail;
    private ushort _shown;
    private ushort _used;

    /// <summary>Lays the queue out in guest memory.</summary>
    public RxQueue(GuestRam ram, int size, int bufferSize, VirtioFeatures features, FaultLog faults)
    {
        Ring = new RawRing(ram, size);
        _faults = faults;
        _bufferSize = bufferSize;
        _mergeable = (features & VirtioFeatures.MrgRxBuf) != 0;
        _eventIndex = (features & VirtioFeatures.EventIdx) != 0;
        _buffers = ram.Allocate(size * bufferSize, 4096);
        _segments = new IoVec[size];
        _posted = new bool[size];
        Reset();
    }

    /// <summary>The ring.</summary>
    public RawRing Ring { get; }

    /// <summary>Signalled by us.</summary>
    public EventFd Kick { get; } = new();

    /// <summary>Signalled by the device.</summary>
    public EventFd Call { get; } = new();

    /// <summary>Frames received.</summary>
    public long Frames { get; private set; }

    /// <summary>Frames' bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Kicks given.</summary>
    public long Kicks { get; private set; }

    /// <summary>Whether buffers go back to the device when they are read; false starves it, for tests of back-pressure.</summary>
    public bool Reposting { get; set; } = true;

    /// <summary>Whether frames wait to be read.</summary>
    public bool HasInput => Volatile.Read(ref Ring.UsedIndex) != _used;

    /// <summary>Hands received frames out and gives their buffers back.</summary>
    /// <returns>Frames handed out.</returns>
    public int Poll(IFrameSink sink, int budget)
    {
        var index = Volatile.Read(ref Ring.UsedIndex);
        if (index == _used) return 0;
        if ((ushort)(index - _used) > Ring.Size)
        {
            _faults.Report("rx: used index jumped");
            _used = index;
            return 0;
        }
        var frames = 0;
        while (frames < budget && _used != index)
        {
            var first = _used;
            var count = Gather(index, out var length, out var header);
            if (count > 0) Deliver(sink, count, length, header);
            if (Reposting) for (; first != _used; first++) Post(Ring.UsedEntry(first).Id);

            // In portions, so that the device fills some buffers while we read others.
            if (++frames % Portion == 0) Show();
        }
        Show();
        return frames;
    }

    /// <summary>Asks for an interrupt at the next frame, or for none.</summary>
    /// <returns>False when a frame came in the meantime: look again before waiting.</returns>
    public bool WantCall(bool want)
    {
        if (_eventIndex) Volatile.Write(ref Ring.UsedEvent, want ? _used : (ushort)(_used - 1));
        else Volatile.Write(ref Ring.AvailFlags, want ? (ushort)0 : (ushort)1);
        Interlocked.MemoryBarrier();
        return !want || !HasInput;
    }

    /// <summary>Empties the ring and posts every buffer anew, as after a device reset.</summary>
    public void Reset()
    {
        Ring.Clear();
        _avail = _shown = _used = 0;
        Array.Clear(_posted);
        for (var i = 0; i < Ring.Size; i++)
        {
            Ring.Describe(i, _buffers + (i * _bufferSize), _bufferSize, RingDescriptor.Write);
            Post((uint)i);
        }
        Ring.PublishAvail(_avail);
        _shown = _avail;
        WantCall(false);
    }

    /// <summary>Posts every buffer that the device does not hold, after a time without <see cref="Reposting"/>.</summary>
    public void RepostAll()
    {
        for (var i = 0; i < Ring.Size; i++) if (!_posted[i]) Post((uint)i);
        Show();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kick.Dispose();
        Call.Dispose();
    }

    private int Gather(ushort index, out int length, out VirtioNetHeader header)
    {
        length = 0;
        header = default;
        var wanted = 1;
        for (var n = 0; n < wanted; n++)
        {
            if (_used == index)
            {
                _faults.Report("rx: fewer buffers used than the header says");
                return 0;
            }
            var element = Ring.UsedEntry(_used++);
            if (element.Id >= Ring.Size || !_posted[element.Id] || element.Length > _bufferSize)
            {
                _faults.Report("rx: used element names no posted buffer, or more than it holds");
                return 0;
            }
            _posted[element.Id] = false;
            var buffer = _buffers + (element.Id * (uint)_bufferSize);
            var skip = 0;
            if (n == 0)
            {
                if (element.Length <= VirtioNetHeader.Size)
                {
                    _faults.Report("rx: frame without content");
                    return 0;
                }
                header = *(VirtioNetHeader*)buffer;
                skip = VirtioNetHeader.Size;
                if (_mergeable) wanted = header.BufferCount;
                else if (header.BufferCount is not (0 or 1)) _faults.Report("rx: num_buffers without MRG_RXBUF");
                if (wanted == 0 || wanted > Ring.Size)
                {
                    _faults.Report("rx: num_buffers out of range");
                    return 0;
                }
            }
            _segments[n] = new IoVec((nint)(buffer + skip), (nuint)(element.Length - skip));
            length += (int)element.Length - skip;
        }
        return wanted;
    }

    private void Deliver(IFrameSink sink, int count, int length, in VirtioNetHeader header)
    {
        if (!header.TryRead(out var offload)) _faults.Report("rx: header with an impossible gso type or size");
        Frames++;
        Bytes += length;
        sink.Receive(new RxFrame(_segments.AsSpan(0, count), length, offload));
    }

    private void Post(uint id)
    {
        if (id >= Ring.Size || _posted[id]) return;
        _posted[id] = true;
        Ring.AvailEntry(_avail++) = (ushort)id;
    }

    private void Show()
    {
        if (_avail == _shown) return;
        Ring.PublishAvail(_avail);
        Interlocked.MemoryBarrier();
        var wanted = _eventIndex
            ? RawRing.NeedsEvent(Volatile.Read(ref Ring.AvailEvent), _avail, _shown)
            : (Volatile.Read(ref Ring.UsedFlags) & 1) == 0;
        _shown = _avail;
        if (!wanted) return;
        Kicks++;
        Kick.Signal();
    }
}
