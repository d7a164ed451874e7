using NicHost.Probe.Frontend;

namespace NicHost.Probe.Netvsc;

/// <summary>The guest's monitor page of the direction to the host: a bit for each channel that has an id, in four groups.</summary>
public sealed unsafe class MonitorPage
{
    private const int GroupBits = 32;

    // After eight bytes of state each group is a word of pending bits and a word of armed ones.
    private const int FirstGroup = 2;
    private const int GroupWords = 2;

    private readonly uint* _page;

    /// <summary>Takes a page of the guest's memory.</summary>
    public MonitorPage(GuestRam ram)
    {
        ArgumentNullException.ThrowIfNull(ram);
        _page = (uint*)ram.Allocate(4096, 4096);
        Address = ram.ToGuest(_page);
    }

    /// <summary>Groups of bits.</summary>
    public static int Groups => 4;

    /// <summary>Where it is in the guest.</summary>
    public ulong Address { get; }

    /// <summary>The pending bits of a group.</summary>
    public ref uint this[int group]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)group, (uint)Groups);
            return ref _page[FirstGroup + (group * GroupWords)];
        }
    }

    /// <summary>Signals the host by the bit of a channel.</summary>
    public void Set(byte id) => Interlocked.Or(ref this[id / GroupBits], 1u << (id % GroupBits));
}
