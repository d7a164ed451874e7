using System.Runtime.InteropServices;
using NicHost.Contracts.Memory;
using NicHost.NetVsp.Memory;

namespace NicHost.NetVsp.Vmbus;

/// <summary>A buffer that the guest has described to us, from its first message on.</summary>
internal sealed class Gpadl(uint handle, uint relId, int pages)
{
    private readonly ulong[] _frames = new ulong[pages];
    private int _known;

    public uint Handle { get; } = handle;

    /// <summary>The channel that it was made for.</summary>
    public uint RelId { get; } = relId;

    public int PageCount => pages;

    /// <summary>The memory; null until the last message has come.</summary>
    public GpaPages? Pages { get; private set; }

    public bool IsComplete => _known == pages;

    /// <summary>Takes the frame numbers of the next message. Their order is that of arrival: Linux numbers all of them 0.</summary>
    public void Add(ReadOnlySpan<byte> frames)
    {
        var numbers = MemoryMarshal.Cast<byte, ulong>(frames);
        if (numbers.Length > pages - _known) numbers = numbers[..(pages - _known)];
        numbers.CopyTo(_frames.AsSpan(_known));
        _known += numbers.Length;
    }

    /// <summary>Translates the frames once all are known.</summary>
    /// <returns>Why it cannot be, or null.</returns>
    public string? Complete(GuestMemory map)
    {
        Pages = GpaPages.TryMake(map, _frames, out var bad);
        return Pages is null ? $"page frame 0x{bad:x} is not the guest's memory" : null;
    }
}
