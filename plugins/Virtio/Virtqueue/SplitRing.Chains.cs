using NicHost.Contracts.Memory;

namespace NicHost.Virtio.Virtqueue;

/// <content>Descriptor chains (2.7.5): each descriptor is copied once; the walk is bounded by the table it walks in.</content>
internal sealed unsafe partial class SplitRing
{
    public override int Walk(ushort head, Span<Segment> segments, out int readable)
    {
        var walk = new ChainWalk(segments);
        var table = _descriptors;
        var entries = _size;
        uint at = head;
        var left = entries;
        while (true)
        {
            // SAFETY: at < entries (head was checked by TryPop, Next below), and entries descriptors were translated at table.
            var descriptor = table[at];
            if (left-- == 0) return BreakChain(head, "is a loop", out readable);
            if ((descriptor.Flags & SplitDescriptor.FlagIndirect) != 0)
            {
                if (table != _descriptors) return BreakChain(head, "nests an indirect table in another", out readable);
                if (!_indirect) return BreakChain(head, "has an indirect descriptor that was not negotiated", out readable);
                // 2.7.5.3.1: NEXT and INDIRECT exclude each other; the table is a whole number of descriptors.
                if ((descriptor.Flags & SplitDescriptor.FlagNext) != 0) return BreakChain(head, "goes on after an indirect table", out readable);
                if (descriptor.Length == 0 || descriptor.Length % SplitDescriptor.Size != 0)
                    return BreakChain(head, "has an indirect table of an odd size", out readable);
                table = (SplitDescriptor*)_memory.Translate(descriptor.Address, descriptor.Length);
                if (table == null) return BreakChain(head, "has an indirect table outside the memory table", out readable);
                entries = (int)Math.Min(descriptor.Length / SplitDescriptor.Size, SplitLayout.MaxSize);
                left = entries;
                at = 0;
                continue;
            }
            var added = walk.Add(_memory, descriptor);
            if (added != null) return BreakChain(head, added, out readable);
            if (walk.IsFull)
            {
                readable = 0;
                return TooLong;
            }
            if ((descriptor.Flags & SplitDescriptor.FlagNext) == 0) break;
            at = descriptor.Next;
            if (at >= entries) return BreakChain(head, "names a descriptor beyond its table", out readable);
        }
        readable = walk.Writable < 0 ? walk.Count : walk.Writable;
        return walk.Count;
    }

    private int BreakChain(ushort head, string what, out int readable)
    {
        readable = 0;
        Fail($"the chain at descriptor {head} {what}");
        return Broken;
    }

    /// <summary>What a walk has gathered so far.</summary>
    private ref struct ChainWalk(Span<Segment> segments)
    {
        private readonly Span<Segment> _segments = segments;

        public int Count;

        /// <summary>Index of the first writable piece; −1 when there is none yet.</summary>
        public int Writable = -1;

        public bool IsFull;

        public string? Add(GuestMemory memory, in SplitDescriptor descriptor)
        {
            if ((descriptor.Flags & SplitDescriptor.FlagWrite) != 0)
            {
                if (Writable < 0) Writable = Count;
            }
            else if (Writable >= 0) return "has a readable descriptor after a writable one";
            if (descriptor.Length == 0) return null;
            var host = memory.Translate(descriptor.Address, descriptor.Length);
            if (host == null) return AddPieces(memory, descriptor);
            if (Count == _segments.Length) IsFull = true;
            else _segments[Count++] = new Segment { Base = host, Length = descriptor.Length };
            return null;
        }

        // A buffer may cross from one region into the next (guest memory below and above a hole of the VMM's making has none).
        private string? AddPieces(GuestMemory memory, in SplitDescriptor descriptor)
        {
            var room = _segments[Count..];
            var pieces = memory.Translate(descriptor.Address, descriptor.Length, room);
            if (pieces < 0 && room.Length >= memory.Regions.Length) return "has a buffer outside the memory table";
            if (pieces < 0) IsFull = true;
            else Count += pieces;
            return null;
        }
    }
}
