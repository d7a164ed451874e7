namespace NicHost.Loops;

/// <summary>A binary heap of timers, earliest first, equal times in the order they were set. Each entry knows its place, so moving is cheap.</summary>
internal sealed class TimerHeap
{
    private Entry[] _entries = new Entry[16];

    /// <summary>Timers in the heap.</summary>
    public int Count { get; private set; }

    /// <summary>The earliest timer.</summary>
    public Entry? First => Count > 0 ? _entries[0] : null;

    /// <summary>When the earliest timer is due.</summary>
    public long? Next => Count > 0 ? _entries[0].Due : null;

    public void Add(Entry entry)
    {
        if (Count == _entries.Length) Array.Resize(ref _entries, Count * 2);
        Place(entry, Count++);
        Rise(entry.Position);
    }

    /// <summary>Takes an entry out; one that is not in the heap is left alone.</summary>
    public void Remove(Entry entry)
    {
        if (!entry.IsInHeap) return;
        var hole = entry.Position;
        entry.Position = -1;
        var last = _entries[--Count];
        _entries[Count] = null!;
        if (last == entry) return;
        Place(last, hole);
        Rise(hole);
        Sink(last.Position);
    }

    /// <summary>Takes out everything that belongs to <paramref name="owner"/>.</summary>
    public void RemoveAll(NicLoop owner)
    {
        foreach (var entry in _entries.AsSpan(0, Count).ToArray())
        {
            if (entry.Owner == owner) Remove(entry);
        }
    }

    private void Rise(int position)
    {
        while (position > 0)
        {
            var parent = (position - 1) / 2;
            if (!Before(_entries[position], _entries[parent])) return;
            Swap(position, parent);
            position = parent;
        }
    }

    private void Sink(int position)
    {
        while (true)
        {
            var child = (position * 2) + 1;
            if (child >= Count) return;
            if (child + 1 < Count && Before(_entries[child + 1], _entries[child])) child++;
            if (!Before(_entries[child], _entries[position])) return;
            Swap(position, child);
            position = child;
        }
    }

    private void Swap(int a, int b)
    {
        var entry = _entries[a];
        Place(_entries[b], a);
        Place(entry, b);
    }

    private void Place(Entry entry, int position)
    {
        _entries[position] = entry;
        entry.Position = position;
    }

    private static bool Before(Entry a, Entry b) => a.Due != b.Due ? a.Due < b.Due : a.Sequence < b.Sequence;

    /// <summary>What the heap needs of a timer.</summary>
    internal abstract class Entry(NicLoop? owner)
    {
        public NicLoop? Owner { get; } = owner;
        public long Due { get; set; }
        public long Sequence { get; set; }
        public int Position { get; set; } = -1;
        public bool IsInHeap => Position >= 0;
    }
}
