using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.NetVsp.Memory;
using NicHost.NetVsp.Nvsp;
using NicHost.NetVsp.Rings;

namespace NicHost.NetVsp.Net;

/// <summary>
/// From the endpoint into sections of the guest's receive buffer: reserve, commit, release, flush of <see cref="IDeviceQueue"/>. A frame takes
/// one section; a super-frame takes as many as it needs where the guest merges them (RSC). Frames of one wake-up go out in one packet of the
/// ring and come back with one completion. On the queue's loop; nothing here allocates.
/// </summary>
/// <param name="counters">The queue's.</param>
/// <param name="siblings">Another channel's path by its index, if it runs on the same loop.</param>
/// <param name="otherOwed">Bytes of the ring that completions and answers will take.</param>
internal sealed unsafe partial class RxPath(QueueCounters counters, Func<int, RxPath?> siblings, Func<int> otherOwed)
{
    private readonly Func<int, RxPath?> _siblings = siblings;
    private readonly Func<int> _otherOwed = otherOwed;

    /// <summary>Where a frame's bytes start in a section; before them the RNDIS header and all information that it may need.</summary>
    public const int Headroom = 128;

    private const int MaxOpen = FrameLimits.MaxBatch;

    // Ranges of one packet: a guest copies a packet of up to 4.6 KB out of its ring.
    private const int MaxRanges = 256;

    // Sections of open reservations and of one packet.
    private const int MaxSections = 4096;

    private readonly SectionPool _pool = new();
    private readonly Reservation[] _open = new Reservation[MaxOpen];
    private readonly int[] _reserved = new int[MaxSections];
    private readonly int[] _batch = new int[MaxRanges];
    private readonly int[] _batchLengths = new int[MaxRanges];
    private readonly byte[] _rangeHeader = new byte[8 + (8 * MaxRanges)];
    private GpaPages? _buffer;
    private OutgoingRing? _ring;
    private GuestSettings _settings = GuestSettings.Down;
    private OffloadSet _accepted;
    private int _sectionSize;
    private int _payload;
    private int _firstOpen;
    private int _openCount;
    private int _reservedHead;
    private int _reservedCount;
    private int _batchCount;
    private ushort _packetId;
    private int _sectionsWanted;

    private struct Reservation
    {
        public int Sections;
        public int Length;
    }

    /// <summary>Whether the endpoint waits for sections or room.</summary>
    public bool Wanted { get; private set; }

    /// <summary>Sections that can be filled.</summary>
    public int Available => _pool.Available;

    /// <summary>Sections that this queue owns.</summary>
    public int Owned => _pool.Owned;

    /// <summary>Bytes of the ring that what is reserved and not yet sent will take.</summary>
    public int Owed => RangesCost(_reservedCount + _batchCount);

    /// <summary>The sections to fill from now on.</summary>
    public SectionPool Pool => _pool;

    /// <summary>Starts on a ring.</summary>
    public void Start(OutgoingRing ring)
    {
        _ring = ring;
        Forget();
    }

    /// <summary>Stops: nothing that was reserved or not yet shown is sent.</summary>
    public void Stop()
    {
        _ring = null;
        SetBuffer(BufferSet.None, 0, 0);
    }

    /// <summary>Takes another receive buffer, or none.</summary>
    public void SetBuffer(BufferSet buffers, int first, int count)
    {
        Forget();
        _buffer = buffers.Receive;
        _sectionSize = buffers.SectionSize;
        _payload = _sectionSize - Headroom;
        _pool.Reset(buffers.SectionCount, first, count);
    }

    /// <summary>What the guest wants and takes, from the next frame on.</summary>
    public void Configure(GuestSettings settings, OffloadSet accepted)
    {
        _settings = settings;
        _accepted = accepted;
    }

    /// <summary>
    /// Whether what it waits for could be had now; if only the ring lacks room, the guest is asked for it. The endpoint is told only then: one
    /// that tries at once, in vain, would be told again at once, and a guest that keeps its sections would keep the loop busy.
    /// </summary>
    public bool CanServe() => Wanted && _ring is not null && _buffer is not null && _settings.Filter != PacketFilter.None && _sectionsWanted <= _pool.Available
        && _ring.HasRoom(RangesCost(_reservedCount + _batchCount + _sectionsWanted) + _otherOwed());

    /// <summary>The endpoint is about to be told.</summary>
    public void ClearWanted() => Wanted = false;

    /// <summary>Whether a super-frame of the greatest length can be held at all.</summary>
    public static bool CanMerge(int sectionSize, int sections) =>
        sections >= 2 * ((FrameLimits.MaxFrame / (sectionSize - Headroom)) + 1);

    public int Reserve(int length, Span<Segment> segments, out RxTicket ticket)
    {
        ticket = new RxTicket(_firstOpen + _openCount, 0);
        if (_ring is null || _buffer is null) return Refuse(0);
        if (_openCount == MaxOpen) return 0;
        var sections = (length + _payload - 1) / _payload;
        // A guest that wants no frames: they wait for the one that it will want.
        if (_settings.Filter == PacketFilter.None) return Refuse(sections);
        // More sections than one only where the guest puts them together again.
        if (sections > MaxRanges || (sections > 1 && (_accepted & OffloadSet.AllGso) == 0)) return Refuse(sections);
        if (sections > _pool.Available || _reservedCount + sections > MaxSections) return Refuse(sections);
        if (!_ring.HasRoom(RangesCost(_reservedCount + _batchCount + sections) + _otherOwed())) return Refuse(sections);
        var count = 0;
        var left = length;
        for (var i = 0; i < sections; i++)
        {
            var section = _pool.Take();
            _reserved[(_reservedHead + _reservedCount++) & (MaxSections - 1)] = section;
            var laid = _buffer.Cover((section * _sectionSize) + Headroom, Math.Min(left, _payload), segments[count..]);
            if (laid < 0)
            {
                Undo(i + 1);
                return 0;
            }
            count += laid;
            left -= _payload;
        }
        _open[(_firstOpen + _openCount++) & (MaxOpen - 1)] = new Reservation { Sections = sections, Length = length };
        return count;
    }

    public void Release(RxTicket ticket)
    {
        var reservation = Close(ticket);
        for (var i = 0; i < reservation.Sections; i++) _pool.Return(NextReserved());
    }

    /// <summary>Puts what was committed into the ring; it is shown by the ring's next publication.</summary>
    public void WriteBatch()
    {
        if (_batchCount == 0) return;
        WritePacket(NvspFormat.DataChannel, _batch.AsSpan(0, _batchCount), _batchLengths.AsSpan(0, _batchCount));
        _pool.Sent(_batch.AsSpan(0, _batchCount));
        _batchCount = 0;
    }

    /// <summary>The guest gives sections back.</summary>
    /// <returns>False when it does not have them.</returns>
    public bool Complete(ulong transaction) => _pool.Complete(transaction);

    private static int RangesCost(int ranges)
    {
        if (ranges == 0) return 0;
        var packets = ((ranges - 1) / MaxRanges) + 1;
        // In the worst case each frame is flushed by itself.
        return (packets * OutgoingRing.Needed(8, NvspFormat.MessageSize)) + (ranges * 8)
            + (Math.Min(ranges, MaxOpen) * OutgoingRing.Needed(8, NvspFormat.MessageSize));
    }

    /// <summary>Whether the ring takes so many more ranges, besides everything that is owed.</summary>
    private bool HasRoomFor(int ranges) => _ring is not null && _ring.HasRoomNow(RangesCost(_reservedCount + _batchCount + ranges) + _otherOwed());

    private int Refuse(int sections)
    {
        if (_openCount > 0) return 0;
        Wanted = true;
        _sectionsWanted = sections;
        counters.RxStalls++;
        return 0;
    }

    private void Undo(int sections)
    {
        for (var i = 0; i < sections; i++) _pool.Return(_reserved[(_reservedHead + --_reservedCount) & (MaxSections - 1)]);
    }

    private int NextReserved()
    {
        var section = _reserved[_reservedHead & (MaxSections - 1)];
        _reservedHead++;
        _reservedCount--;
        return section;
    }

    private Reservation Close(RxTicket ticket)
    {
        if (_openCount == 0 || ticket.First != _firstOpen)
            throw new InvalidOperationException("Reservations end in the order in which they were made, each once.");
        _openCount--;
        return _open[_firstOpen++ & (MaxOpen - 1)];
    }

    private void Forget()
    {
        _openCount = _reservedCount = _batchCount = 0;
    }
}
