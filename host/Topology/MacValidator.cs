using NicHost.Contracts.Nics;

namespace NicHost.Host.Topology;

/// <summary>No two NICs have one address.</summary>
internal static class MacValidator
{
    public static void Check(IEnumerable<NicDraft> nics)
    {
        var owners = new Dictionary<MacAddress, NicIdentity>();
        foreach (var draft in nics)
        {
            var nic = draft.Nic;
            if (owners.TryAdd(nic.Mac, nic.Identity)) continue;
            draft.Whole.Add(nic.MacIsDerived ? "$" : "$.mac", $"{nic.Mac} is the address of {owners[nic.Mac]} already.", "Give each NIC its own, or leave \"mac\" out.");
        }
    }
}
