using NicHost.Linux;

namespace NicHost.Fuzz.Targets.NetVsp;

/// <summary>
/// Guest memory of a megabyte, as two regions that are neighbours in the guest and apart in the file: buffers may cross from one into the other.
/// </summary>
internal sealed unsafe class BusMemory : IDisposable
{
    public const ulong GuestBase = 0x4000_0000;
    public const int PageSize = 4096;
    public const int Pages = 256;

    // Where things lie, in pages.
    public const int RingPages = 4;
    public const int FlagsPage = 20;
    public const int MonitorPage = 21;
    public const int ReceiveFirst = 32;
    public const int ReceivePages = 48;
    public const int SendFirst = 104;
    public const int SendPages = 24;
    public const int FramesFirst = 160;

    private const int FirstRegion = 112;
    private const int Gap = 16;
    private const nuint Mapped = (Pages + Gap) * PageSize;

    private readonly byte* _map;

    public BusMemory()
    {
        File = VirtualMemory.CreateMemoryFile("fuzz", (long)Mapped);
        _map = (byte*)VirtualMemory.MapSharedFile(File.Raw, 0, Mapped, Protection.ReadWrite).OrThrow("map guest memory");
    }

    public Fd File { get; }

    /// <summary>Guest address, bytes, offset in the file.</summary>
    public static (ulong Address, ulong Length, ulong Offset)[] Regions { get; } =
    [
        (GuestBase, FirstRegion * PageSize, 0),
        (GuestBase + (FirstRegion * PageSize), (Pages - FirstRegion) * PageSize, (FirstRegion + Gap) * PageSize),
    ];

    /// <summary>A page's bytes, and those behind it as far as the guest sees them as neighbours.</summary>
    public byte* Page(int page) => _map + ((page < FirstRegion ? page : page + Gap) * PageSize);

    public static ulong Frame(int page) => (GuestBase / PageSize) + (ulong)page;

    /// <summary>Writes at any place, round the end.</summary>
    public void Write(uint at, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            at &= (Pages * PageSize) - 1;
            var take = Math.Min(bytes.Length, PageSize - (int)(at % PageSize));
            // SAFETY: a page below Pages, and no byte beyond it.
            bytes[..take].CopyTo(new Span<byte>(Page((int)(at / PageSize)) + (at % PageSize), take));
            bytes = bytes[take..];
            at += (uint)take;
        }
    }

    public void Clear() => new Span<byte>(_map, (int)Mapped).Clear();

    public void Dispose()
    {
        VirtualMemory.Unmap((nint)_map, Mapped);
        File.Dispose();
    }
}
