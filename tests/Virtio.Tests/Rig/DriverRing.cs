using NicHost.Virtio.Virtqueue;

namespace NicHost.Virtio.Tests.Rig;

/// <summary>The guest's side of a split ring: builds chains, makes them available, takes used ones. It can be made to lie.</summary>
internal sealed unsafe class DriverRing
{
    private readonly GuestFile _guest;
    private readonly Stack<ushort> _free = new();
    private readonly Dictionary<ushort, ushort[]> _chains = [];
    private ushort _usedSeen;

    public DriverRing(GuestFile guest, ulong at, int size, bool eventIndex = false)
    {
        _guest = guest;
        Size = size;
        EventIndex = eventIndex;
        Descriptors = at;
        Available = at + SplitLayout.DescriptorBytes(size);
        Used = (Available + SplitLayout.AvailBytes(size, true) + 3) & ~3ul;
        End = Used + SplitLayout.UsedBytes(size, true);
        guest.Span(at, (int)(End - at)).Clear();
        for (var i = size - 1; i >= 0; i--) _free.Push((ushort)i);
    }

    /// <summary>Makes the ring one that has run before.</summary>
    public void StartAt(ushort index) => AvailIndex = UsedIndex = UsedEvent = _usedSeen = index;

    public int Size { get; }
    public bool EventIndex { get; }
    public ulong Descriptors { get; }
    public ulong Available { get; }
    public ulong Used { get; }
    public ulong End { get; }

    public ref ushort AvailFlags => ref *(ushort*)_guest.At(Available);
    public ref ushort AvailIndex => ref *(ushort*)_guest.At(Available + 2);
    public ref ushort UsedFlags => ref *(ushort*)_guest.At(Used);
    public ref ushort UsedIndex => ref *(ushort*)_guest.At(Used + 2);
    public ref ushort UsedEvent => ref *(ushort*)_guest.At(Available + 4 + (2 * (ulong)Size));
    public ref ushort AvailEvent => ref *(ushort*)_guest.At(Used + 4 + (8 * (ulong)Size));
    public int FreeDescriptors => _free.Count;

    public ref SplitDescriptor Descriptor(int index) => ref *(SplitDescriptor*)_guest.At(Descriptors + ((ulong)index * 16));

    public ref ushort AvailEntry(int index) => ref *(ushort*)_guest.At(Available + 4 + (2 * (ulong)(index % Size)));

    /// <summary>Makes a chain of pieces available; the head, which also names the chain when it is used.</summary>
    public ushort Add(params (ulong Address, int Length, bool Writable)[] pieces)
    {
        var indexes = pieces.Select(_ => _free.Pop()).ToArray();
        for (var i = 0; i < pieces.Length; i++)
        {
            ref var descriptor = ref Descriptor(indexes[i]);
            descriptor.Address = pieces[i].Address;
            descriptor.Length = (uint)pieces[i].Length;
            descriptor.Flags = (ushort)((pieces[i].Writable ? SplitDescriptor.FlagWrite : 0) | (i + 1 < pieces.Length ? SplitDescriptor.FlagNext : 0));
            descriptor.Next = i + 1 < pieces.Length ? indexes[i + 1] : (ushort)0;
        }
        _chains[indexes[0]] = indexes;
        Offer(indexes[0]);
        return indexes[0];
    }

    /// <summary>The same through an indirect table at <paramref name="table"/>.</summary>
    public ushort AddIndirect(ulong table, params (ulong Address, int Length, bool Writable)[] pieces)
    {
        for (var i = 0; i < pieces.Length; i++)
        {
            *(SplitDescriptor*)_guest.At(table + ((ulong)i * 16)) = new SplitDescriptor
            {
                Address = pieces[i].Address,
                Length = (uint)pieces[i].Length,
                Flags = (ushort)((pieces[i].Writable ? SplitDescriptor.FlagWrite : 0) | (i + 1 < pieces.Length ? SplitDescriptor.FlagNext : 0)),
                Next = (ushort)(i + 1),
            };
        }
        var index = _free.Pop();
        Descriptor(index) = new SplitDescriptor { Address = table, Length = (uint)pieces.Length * 16, Flags = SplitDescriptor.FlagIndirect };
        _chains[index] = [index];
        Offer(index);
        return index;
    }

    public void Offer(ushort head)
    {
        AvailEntry(AvailIndex) = head;
        Volatile.Write(ref AvailIndex, (ushort)(AvailIndex + 1));
    }

    /// <summary>Takes the next used chain, and frees its descriptors.</summary>
    public (ushort Head, int Length)? Take()
    {
        if (Volatile.Read(ref UsedIndex) == _usedSeen) return null;
        var element = *(UsedElement*)_guest.At(Used + 4 + (8 * (ulong)(_usedSeen % Size)));
        _usedSeen++;
        Assert.True(_chains.Remove((ushort)element.Id, out var indexes), $"chain {element.Id} was used, but is not in flight");
        foreach (var index in indexes) _free.Push(index);
        if (EventIndex) UsedEvent = _usedSeen;
        return ((ushort)element.Id, (int)element.Length);
    }

    public List<(ushort Head, int Length)> TakeAll()
    {
        var all = new List<(ushort, int)>();
        while (Take() is { } one) all.Add(one);
        return all;
    }
}
