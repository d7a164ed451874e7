using NicHost.Contracts.Memory;
using NicHost.Linux;

namespace NicHost.Virtio.Virtqueue;

/// <summary>A front-end's memory table: the map and the mappings behind it. Immutable; replaced whole when the table changes.</summary>
internal sealed class GuestRam(GuestMemory map, MappedFile[] mappings)
{
    public static GuestRam Empty { get; } = new(GuestMemory.Empty, []);

    /// <summary>The checked translation.</summary>
    public GuestMemory Map { get; } = map;

    /// <summary>Whether the front-end took memory away that we have touched. Cheap: asked once per batch.</summary>
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
