using NicHost.Contracts.Memory;
using NicHost.NetVsp.Memory;

namespace NicHost.NetVsp.Vmbus;

/// <summary>
/// The guest's buffers by handle, complete ones and those whose messages are still coming. Bounded in number and in pages, whatever a guest
/// registers. Under the bus's lock.
/// </summary>
internal sealed class GpadlTable
{
    /// <summary>Buffers at most, half-described ones included.</summary>
    public const int MaxCount = 1024;

    /// <summary>Pages of one: what 31 MiB of DPDK's need, and twice that.</summary>
    public const int MaxPagesEach = 16384;

    /// <summary>Pages of all: 1 GiB.</summary>
    public const int MaxPages = 1 << 18;

    private const int HeaderFields = 20;

    private readonly Dictionary<uint, Gpadl> _all = [];
    private int _pages;

    public int Count => _all.Count;

    public int Pages => _pages;

    public IEnumerable<Gpadl> All => _all.Values;

    /// <summary>Begins one with the message that names it.</summary>
    /// <param name="message">GPADL header: relid, handle, bytes of the range list, count of ranges; then byte count and offset of the one range.</param>
    /// <param name="gpadl">What was begun.</param>
    /// <returns>Why it is refused, or null.</returns>
    public string? Begin(in MessageView message, out Gpadl? gpadl)
    {
        gpadl = null;
        var handle = message.U32(4);
        var ranges = message.U16(10);
        var bytes = message.U32(12);
        var offset = message.U32(16);
        if (_all.ContainsKey(handle)) return "its handle is in use";
        if (ranges != 1) return $"{ranges} ranges, where each buffer is one";
        if (bytes == 0 || bytes % GpaPages.PageSize != 0 || offset != 0) return $"{bytes} bytes at offset {offset}: not a number of whole pages";
        // The size of the list is 16 bits and overflows for the largest buffers: the range itself says how many frames follow.
        var pages = bytes / GpaPages.PageSize;
        if (pages > MaxPagesEach) return $"{pages} pages; {MaxPagesEach} are the most";
        if (_all.Count == MaxCount) return $"more than {MaxCount} buffers";
        if (_pages + pages > MaxPages) return $"more than {MaxPages} pages in all buffers";
        gpadl = new Gpadl(handle, message.U32(0), (int)pages);
        gpadl.Add(Whole(message.From(HeaderFields)));
        _all.Add(handle, gpadl);
        _pages += gpadl.PageCount;
        return null;
    }

    /// <summary>Goes on with one.</summary>
    /// <returns>Why it is refused, or null.</returns>
    public string? Continue(in MessageView message, out Gpadl? gpadl)
    {
        if (!_all.TryGetValue(message.U32(4), out gpadl)) return "its handle was not begun";
        if (gpadl.IsComplete)
        {
            gpadl = null;
            return "it is complete already";
        }
        gpadl.Add(Whole(message.From(8)));
        return null;
    }

    /// <summary>Translates a buffer whose last message has come; one that cannot be is forgotten.</summary>
    /// <returns>Why it cannot be, or null.</returns>
    public string? Complete(Gpadl gpadl, GuestMemory map)
    {
        var fault = gpadl.Complete(map);
        if (fault is not null) Remove(gpadl.Handle);
        return fault;
    }

    /// <summary>A complete buffer, or null.</summary>
    public GpaPages? Find(uint handle) => _all.TryGetValue(handle, out var gpadl) ? gpadl.Pages : null;

    public bool Remove(uint handle)
    {
        if (!_all.Remove(handle, out var gpadl)) return false;
        _pages -= gpadl.PageCount;
        return true;
    }

    public void Clear()
    {
        _all.Clear();
        _pages = 0;
    }

    private static ReadOnlySpan<byte> Whole(ReadOnlySpan<byte> frames) => frames[..(frames.Length & ~7)];
}
