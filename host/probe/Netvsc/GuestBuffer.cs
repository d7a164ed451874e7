using NicHost.Linux;
using NicHost.Probe.Frontend;

namespace NicHost.Probe.Netvsc;

/// <summary>A buffer that the guest shares with the host by its pages, perhaps scattered as a kernel's vmalloc gives them.</summary>
public sealed unsafe class GuestBuffer
{
    private readonly byte*[] _pages;

    /// <summary>Takes the buffer out of guest memory.</summary>
    public GuestBuffer(GuestRam ram, int length, bool scattered)
    {
        ArgumentNullException.ThrowIfNull(ram);
        Length = length;
        IsScattered = scattered;
        var memory = ram.Allocate(length, 4096);
        _pages = new byte*[length / 4096];
        Frames = new ulong[_pages.Length];
        for (var i = 0; i < _pages.Length; i++)
        {
            // Pairs are exchanged: no two neighbours stay neighbours.
            var place = scattered && (i ^ 1) < _pages.Length ? i ^ 1 : i;
            _pages[i] = memory + (place * 4096);
            Frames[i] = ram.ToGuest(_pages[i]) / 4096;
        }
    }

    /// <summary>Bytes.</summary>
    public int Length { get; }

    /// <summary>Whether no two pages lie together.</summary>
    public bool IsScattered { get; }

    /// <summary>Page frames in the buffer's order.</summary>
    public ulong[] Frames { get; }

    /// <summary>The handle that the host knows it by.</summary>
    public uint Gpadl { get; set; }

    /// <summary>A place, good to the end of its page.</summary>
    public byte* At(int offset) => _pages[offset >> 12] + (offset & 4095);

    /// <summary>Writes the pieces that cover a run; for a buffer in one piece that is one.</summary>
    /// <returns>How many.</returns>
    public int Cover(int offset, int length, Span<IoVec> pieces)
    {
        if (!IsScattered)
        {
            pieces[0] = new IoVec((nint)At(offset), (nuint)length);
            return 1;
        }
        var count = 0;
        while (length > 0)
        {
            var take = Math.Min(length, 4096 - (offset & 4095));
            pieces[count++] = new IoVec((nint)At(offset), (nuint)take);
            offset += take;
            length -= take;
        }
        return count;
    }

    /// <summary>Copies out.</summary>
    public void CopyTo(int offset, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            var take = Math.Min(destination.Length, 4096 - (offset & 4095));
            new ReadOnlySpan<byte>(At(offset), take).CopyTo(destination);
            destination = destination[take..];
            offset += take;
        }
    }
}
