using System.Globalization;
using NicHost.Contracts.Diagnostics;
using Samples.Switch.Fabric;

namespace Samples.Switch;

/// <summary>A network in the inspect tree: its ports and its table.</summary>
internal static class LanTree
{
    // A table may have thousands: whoever looks wants a screen.
    private const int MostAddresses = 64;

    public static void Write(InspectWriter writer, Lan lan, long now)
    {
        using (writer.Section("ports"))
        {
            foreach (var port in lan.Ports.OrderBy(p => p.Nic.ToString(), StringComparer.Ordinal))
                writer.Value(port.Nic.ToString(), $"{(port.IsOpen ? "open" : "closed")}{(port.IsIsolated ? ", isolated" : "")}");
        }
        var stations = lan.Stations;
        writer.Value("tableSize", stations.Count);
        using (writer.Section("table"))
        {
            foreach (var station in stations.Values.OrderBy(s => s.Address.Value).Take(MostAddresses))
                writer.Value(station.Address.ToString(), $"{station.Port.Nic}, {Age(station, now)}");
        }
    }

    private static string Age(Station station, long now) =>
        station.IsFixed ? "its own" : string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, now - station.Seen) / 1000} s");
}
