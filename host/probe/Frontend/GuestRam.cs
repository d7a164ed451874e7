using NicHost.Linux;

namespace NicHost.Probe.Frontend;

/// <summary>One region of the memory table: guest-physical address, length, offset in the file.</summary>
public readonly record struct RamRegion(ulong GuestAddress, ulong Length, ulong FileOffset);

/// <summary>
/// The probe guest's memory: one sealed memfd (it cannot shrink under the back-end), mapped once, shown to the back-end as one or
/// more regions. Guest-physical addresses differ from offsets on purpose, so that a back-end that confuses them fails at once.
/// </summary>
public sealed unsafe class GuestRam : IDisposable
{
    /// <summary>Where the first region lies in the guest.</summary>
    public const ulong FirstAddress = 0x4000_0000;

    private const ulong Gap = 0x1000_0000;

    private readonly Fd _file;
    private long _used;

    /// <summary>Makes the memory.</summary>
    /// <param name="size">Bytes, a multiple of the page size times <paramref name="regions"/>.</param>
    /// <param name="regions">Regions of equal size to show it as, with gaps in the guest's address space between them.</param>
    public GuestRam(long size, int regions = 1)
    {
        _file = VirtualMemory.CreateMemoryFile("nichost-probe", size);
        VirtualMemory.AddSeals(_file.Raw, FileSeals.Shrink | FileSeals.Grow | FileSeals.Seal).OrThrow("seal the probe's memory");
        Base = (byte*)VirtualMemory.MapSharedFile(_file.Raw, 0, (nuint)size, Protection.ReadWrite).OrThrow("map the probe's memory");
        Size = size;
        var each = (ulong)size / (ulong)regions;
        Regions = [.. Enumerable.Range(0, regions).Select(i => new RamRegion(FirstAddress + ((ulong)i * (each + Gap)), each, (ulong)i * each))];
    }

    /// <summary>Bytes in all.</summary>
    public long Size { get; }

    /// <summary>Bytes that were not taken yet.</summary>
    public long Left => Size - _used;

    /// <summary>The memory table.</summary>
    public IReadOnlyList<RamRegion> Regions { get; }

    /// <summary>The memfd.</summary>
    public int Fd => _file.Raw;

    /// <summary>Start of the mapping: what vhost-user calls the user address of the first region.</summary>
    public byte* Base { get; private set; }

    /// <summary>Takes zeroed memory that lies in one region; it is never given back.</summary>
    /// <exception cref="InvalidOperationException">Nothing is left: the size was chosen too small.</exception>
    public byte* Allocate(int length, int alignment = 64)
    {
        var start = (_used + alignment - 1) / alignment * alignment;
        var each = (long)Regions[0].Length;
        if (start / each != (start + length - 1) / each) start = ((start / each) + 1) * each;
        if (length > each || start + length > Size) throw new InvalidOperationException($"The probe guest's {Size} bytes of memory are used up.");
        _used = start + length;
        return Base + start;
    }

    /// <summary>The guest-physical address of a place in the mapping.</summary>
    public ulong ToGuest(void* place)
    {
        var offset = (ulong)((byte*)place - Base);
        var region = Regions.Count == 1 ? Regions[0] : Regions[(int)(offset / Regions[0].Length)];
        return region.GuestAddress + (offset - region.FileOffset);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Base != null) VirtualMemory.Unmap((nint)Base, (nuint)Size);
        Base = null;
        _file.Dispose();
    }
}
