namespace NicHost.Contracts.Diagnostics;

/// <summary>Something whose live state can be shown as a tree.</summary>
public interface IInspectable
{
    /// <summary>
    /// Writes the present state. Called on the NIC's first loop; cheap, without blocking and without changing anything.
    /// </summary>
    void Inspect(InspectWriter writer);
}
