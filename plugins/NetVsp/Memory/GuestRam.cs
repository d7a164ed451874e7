using NicHost.Contracts.Memory;
using NicHost.Linux;

namespace NicHost.NetVsp.Memory;

/// <summary>The guest's memory at one time: the map and the mappings behind it. Immutable; replaced whole when the memory changes.</summary>
internal sealed class GuestRam(GuestMemory map, MappedFile[] mappings)
{
    public static GuestRam Empty { get; } = new(GuestMemory.Empty, []);

    /// <summary>The checked translation.</summary>
    public GuestMemory Map { get; } = map;

    /// <summary>Whether the client took memory away that was touched since. Cheap: asked once per batch.</summary>
    public bool IsPoisoned
    {
        get
        {
            foreach (var mapping in mappings)
            {
                if (mapping.Poisoned) return true;
            }
            return false;
        }
    }
}
