using System.Collections.Immutable;

namespace NicHost.Host.Machines;

/// <summary>Lists that are sorted by a name.</summary>
internal static class Sorted
{
    /// <summary>Where the item of that name is, or would be.</summary>
    public static int PlaceFor<T>(ImmutableArray<T> items, string name, Func<T, string> nameOf)
    {
        var (low, high) = (0, items.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (string.CompareOrdinal(nameOf(items[middle]), name) < 0) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
