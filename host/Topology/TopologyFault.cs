namespace NicHost.Host.Topology;

/// <summary>One thing that is wrong in a topology file.</summary>
internal sealed record TopologyFault(string File, int Line, int Column, string Path, string Message, string Remedy)
{
    public override string ToString() => $"{File}:{Line}:{Column} {Path}: {Message} {Remedy}".TrimEnd();
}

/// <summary>A topology that cannot be used.</summary>
internal sealed class TopologyException(IReadOnlyList<TopologyFault> faults) : Exception(string.Join(Environment.NewLine, faults))
{
    public IReadOnlyList<TopologyFault> Faults { get; } = faults;
}
