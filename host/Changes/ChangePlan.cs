using NicHost.Contracts.Nics;
using NicHost.Host.Topology;

namespace NicHost.Host.Changes;

/// <summary>What has to happen so that what runs becomes what is wanted. Sorted by VM and NIC.</summary>
internal sealed record ChangePlan(IReadOnlyList<VmChange> Vms)
{
    public IEnumerable<NicChange> Nics => Vms.SelectMany(vm => vm.Nics);

    /// <summary>What differs and cannot be changed while the host runs.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public bool IsEmpty => Vms.Count == 0;

    /// <summary>A VM that has just ended, from the start.</summary>
    public static ChangePlan Restart(VmModel vm) =>
        new([new VmChange(vm.Name, VmChangeKind.Add, [.. vm.Nics.Select(nic => new NicChange(nic.Identity, NicChangeKind.Add) { After = nic })])]);

    /// <summary>One NIC anew.</summary>
    public static ChangePlan Restart(NicModel nic) =>
        new([new VmChange(nic.Identity.Vm, VmChangeKind.Keep, [new NicChange(nic.Identity, NicChangeKind.Replug) { After = nic }])]);
}

/// <summary>One VM: new, gone, or with NICs that change.</summary>
internal sealed record VmChange(string Name, VmChangeKind Kind, IReadOnlyList<NicChange> Nics);

/// <summary>What becomes of a VM.</summary>
internal enum VmChangeKind
{
    /// <summary>It stays; some of its NICs change.</summary>
    Keep,

    /// <summary>It is new.</summary>
    Add,

    /// <summary>It ends.</summary>
    Remove,
}

/// <summary>What becomes of a NIC, from the gentlest to the roughest.</summary>
internal enum NicChangeKind
{
    /// <summary>Options that change while the guest goes on.</summary>
    Update,

    /// <summary>It is plugged into another endpoint: the guest sees the link go down and up.</summary>
    Move,

    /// <summary>It is made anew: the guest's VMM has to attach again.</summary>
    Replug,

    /// <summary>It is new.</summary>
    Add,

    /// <summary>It ends.</summary>
    Remove,
}

/// <summary>One NIC's change.</summary>
internal sealed record NicChange(NicIdentity Nic, NicChangeKind Kind)
{
    /// <summary>As it runs; null for one that is new.</summary>
    public NicModel? Before { get; init; }

    /// <summary>As it is wanted; null for one that ends.</summary>
    public NicModel? After { get; init; }

    /// <summary>Whether the device takes other options in place.</summary>
    public bool ReconfiguresDevice { get; init; }

    /// <summary>Whether the endpoint does.</summary>
    public bool ReconfiguresEndpoint { get; init; }

    /// <summary>Why it cannot be done more gently; null where that is no question.</summary>
    public string? Why { get; init; }

    /// <summary>The members of the topology that differ.</summary>
    public IReadOnlyList<MemberChange> Members { get; init; } = [];
}

/// <summary>A member that differs.</summary>
/// <param name="Path">Inside the NIC: <c>endpoint.forwards</c>.</param>
/// <param name="From">As JSON; null when it was not there.</param>
/// <param name="To">As JSON; null when it is no more.</param>
internal sealed record MemberChange(string Path, string? From, string? To);
