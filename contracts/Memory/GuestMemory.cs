namespace NicHost.Contracts.Memory;

/// <summary>
/// An immutable map from guest addresses to host memory: the one place where a guest's address and length are checked. What it
/// returns is safe to touch and to hand to the kernel for as long as the regions stay mapped.
/// </summary>
/// <remarks>
/// The device that made the map owns the mappings. It stops its queues before it unmaps a region, and swaps the whole map when the
/// memory changes. Reading is free of locks and may happen on any thread.
/// </remarks>
public sealed unsafe class GuestMemory
{
    private readonly GuestRegion[] _byGuest;
    private readonly GuestRegion[] _byUser;

    /// <summary>A map of no memory: every translation fails.</summary>
    public static GuestMemory Empty { get; } = new([]);

    /// <summary>Makes a map of <paramref name="regions"/>, in any order.</summary>
    /// <exception cref="ArgumentException">A region is empty, wraps around, or overlaps another in guest addresses.</exception>
    public GuestMemory(ReadOnlySpan<GuestRegion> regions)
    {
        _byGuest = regions.ToArray();
        Array.Sort(_byGuest, static (a, b) => a.GuestAddress.CompareTo(b.GuestAddress));
        for (var i = 0; i < _byGuest.Length; i++)
        {
            ref readonly var region = ref _byGuest[i];
            if (region.Length == 0 || region.GuestAddress + region.Length < region.GuestAddress)
                throw new ArgumentException($"Region at 0x{region.GuestAddress:x} has length 0x{region.Length:x}: empty or beyond the address space.", nameof(regions));
            if (i > 0 && _byGuest[i - 1].GuestAddress + _byGuest[i - 1].Length > region.GuestAddress)
                throw new ArgumentException($"Region at 0x{region.GuestAddress:x} overlaps the one before it.", nameof(regions));
        }
        _byUser = [.. _byGuest];
        Array.Sort(_byUser, static (a, b) => a.UserAddress.CompareTo(b.UserAddress));
    }

    /// <summary>The regions, by rising guest address.</summary>
    public ReadOnlySpan<GuestRegion> Regions => _byGuest;

    /// <summary>Translates a run that lies inside one region.</summary>
    /// <param name="guestAddress">Guest-physical address.</param>
    /// <param name="length">Bytes; a length of 0 translates when its address does.</param>
    /// <returns>The host address, or null when any byte lies outside the map or the run crosses regions.</returns>
    public byte* Translate(ulong guestAddress, ulong length)
    {
        foreach (ref readonly var region in _byGuest.AsSpan())
        {
            var offset = guestAddress - region.GuestAddress;
            // SAFETY: offset < Length and length <= Length - offset, so the run ends inside the mapping; unsigned wrap makes a lower
            // address a huge offset, which the first test refuses.
            if (offset < region.Length && length <= region.Length - offset) return (byte*)region.HostAddress + offset;
        }
        return null;
    }

    /// <summary>Translates a run by the VMM's own addresses (vhost-user gives ring addresses so).</summary>
    /// <returns>The host address, or null when any byte lies outside one region.</returns>
    public byte* TranslateUser(ulong userAddress, ulong length)
    {
        foreach (ref readonly var region in _byUser.AsSpan())
        {
            var offset = userAddress - region.UserAddress;
            // SAFETY: as in Translate.
            if (offset < region.Length && length <= region.Length - offset) return (byte*)region.HostAddress + offset;
        }
        return null;
    }

    /// <summary>Translates a run that may cross from one region into an adjacent one.</summary>
    /// <param name="guestAddress">Guest-physical address.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="segments">Receives the pieces in order.</param>
    /// <returns>How many segments were written; −1 when a byte lies outside the map or there is no room for the pieces.</returns>
    public int Translate(ulong guestAddress, uint length, Span<Segment> segments)
    {
        var count = 0;
        while (length > 0)
        {
            if (count == segments.Length || !TryFind(guestAddress, out var region)) return -1;
            var offset = guestAddress - region.GuestAddress;
            var take = (uint)Math.Min(length, region.Length - offset);
            // SAFETY: offset < region.Length by TryFind, take <= region.Length - offset.
            segments[count++] = new Segment { Base = (byte*)region.HostAddress + offset, Length = take };
            guestAddress += take;
            length -= take;
        }
        return count;
    }

    private bool TryFind(ulong guestAddress, out GuestRegion found)
    {
        foreach (ref readonly var region in _byGuest.AsSpan())
        {
            if (guestAddress - region.GuestAddress >= region.Length) continue;
            found = region;
            return true;
        }
        found = default;
        return false;
    }
}
