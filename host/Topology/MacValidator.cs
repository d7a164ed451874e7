using NicHost.Contracts.Nics;

namespace NicHost.Host.Topology;

/// <summary>No two NICs of a file have one address.</summary>
internal static class MacValidator
{
    public static void Check(TopologyFile file, IEnumerable<(NicModel Nic, string Path)> nics)
    {
        var owners = new Dictionary<MacAddress, NicIdentity>();
        foreach (var (nic, path) in nics)
        {
            if (owners.TryAdd(nic.Mac, nic.Identity)) continue;
            file.Add(nic.MacIsDerived ? path : JsonPath.Member(path, "mac"), $"{nic.Mac} is the address of {owners[nic.Mac]} already.",
                "Give each NIC its own, or leave \"mac\" out.");
        }
    }
}
