using System.Runtime.InteropServices;
using NicHost.Contracts.Memory;

namespace NicHost.Consomme.Ip;

/// <summary>One datagram that is being put together, in memory of its own with room for a header before it.</summary>
internal sealed unsafe class ReassemblySlot : IDisposable
{
    /// <summary>Bytes before the payload: an Ethernet and an IP header are written there at the end.</summary>
    public const int HeaderRoom = 64;

    public const int Capacity = 65535;
    private const int Unit = 8;

    private readonly ulong[] _have = new ulong[(Capacity / Unit / 64) + 1];
    private FragmentInfo _first;
    private byte* _memory;
    private int _received;
    private int _total;
    private bool _poisoned;

    public bool InUse { get; private set; }

    public long Deadline { get; private set; }

    /// <summary>Length of the whole payload, when complete.</summary>
    public int Length => _total;

    // SAFETY: allocated with HeaderRoom + Capacity bytes at Start and kept until Dispose.
    public Span<byte> Memory => new(_memory, HeaderRoom + Capacity);

    public Segment SegmentFrom(int offset, int length) => new(_memory + offset, length);

    public bool Matches(in FragmentInfo info) =>
        info.Id == _first.Id && info.Protocol == _first.Protocol && info.Source == _first.Source && info.Destination == _first.Destination;

    public void Start(in FragmentInfo info, long deadline)
    {
        if (_memory == null) _memory = (byte*)NativeMemory.Alloc(HeaderRoom + Capacity + 1);
        _first = info;
        Deadline = deadline;
        Array.Clear(_have);
        _received = 0;
        _total = -1;
        _poisoned = false;
        InUse = true;
    }

    public void Free() => InUse = false;

    public FragmentResult Add(in FragmentInfo info, ReadOnlySpan<Segment> segments, int payloadAt)
    {
        // A discarded datagram keeps its slot until its time is over, so that its other fragments cannot start it anew.
        if (_poisoned) return FragmentResult.Refused;
        var end = info.Offset + info.Length;
        if ((!info.More && _total >= 0 && _total != end) || (_total >= 0 && end > _total) || (!info.More && Beyond(end))) return Poison();
        var first = info.Offset / Unit;
        var last = (end + Unit - 1) / Unit;
        var present = 0;
        for (var i = first; i < last; i++) present += Has(i) ? 1 : 0;
        // SAFETY: Offset + Length <= Capacity by the caller.
        var place = new Span<byte>(_memory + HeaderRoom + info.Offset, info.Length);
        if (present > 0) return present == last - first && Same(place, segments, payloadAt) ? FragmentResult.Kept : Poison();

        if (SegmentOps.CopyTo(segments, payloadAt, place) != info.Length) return Poison();
        for (var i = first; i < last; i++) _have[i >> 6] |= 1UL << (i & 63);
        _received += info.Length;
        if (!info.More) _total = end;
        return _received == _total ? FragmentResult.Complete : FragmentResult.Kept;
    }

    public void Dispose()
    {
        NativeMemory.Free(_memory);
        _memory = null;
        InUse = false;
    }

    private FragmentResult Poison()
    {
        _poisoned = true;
        return FragmentResult.Refused;
    }

    private bool Has(int unit) => (_have[unit >> 6] >> (unit & 63) & 1) != 0;

    /// <summary>Whether anything lies beyond what claims to be the end.</summary>
    private bool Beyond(int end)
    {
        for (var i = (end + Unit - 1) / Unit; i < Capacity / Unit; i++)
        {
            if (Has(i)) return true;
        }
        return false;
    }

    private static bool Same(ReadOnlySpan<byte> have, ReadOnlySpan<Segment> segments, int at)
    {
        foreach (ref readonly var segment in segments)
        {
            if (have.IsEmpty) return true;
            if ((nuint)at >= segment.Length) { at -= (int)segment.Length; continue; }
            var take = Math.Min((int)segment.Length - at, have.Length);
            if (!segment.Span.Slice(at, take).SequenceEqual(have[..take])) return false;
            have = have[take..];
            at = 0;
        }
        return have.IsEmpty;
    }
}
