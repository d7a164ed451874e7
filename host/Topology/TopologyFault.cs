namespace NicHost.Host.Topology;

/// <summary>One thing that is wrong in a topology file.</summary>
internal sealed record TopologyFault(string File, int Line, int Column, string Path, string Message, string Remedy)
{
    /// <summary>Whether it is the plugin that fails, and not the file: that ends its NICs, and keeps nothing else from running.</summary>
    public bool IsPlugins { get; init; }

    public override string ToString() => $"{File}:{Line}:{Column} {Path}: {Message} {Remedy}".TrimEnd();
}

/// <summary>A topology that cannot be used.</summary>
internal sealed class TopologyException(IReadOnlyList<TopologyFault> faults) : Exception(string.Join(Environment.NewLine, faults))
{
    public IReadOnlyList<TopologyFault> Faults { get; } = faults;
}
