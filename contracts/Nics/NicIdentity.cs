namespace NicHost.Contracts.Nics;

/// <summary>Which NIC of which VM.</summary>
/// <param name="Vm">Name of the VM in the topology.</param>
/// <param name="Nic">Name of the NIC inside the VM.</param>
public readonly record struct NicIdentity(string Vm, string Nic)
{
    /// <summary><c>vm/nic</c>, as the command line and the logs write it.</summary>
    public override string ToString() => $"{Vm}/{Nic}";
}
