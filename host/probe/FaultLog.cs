namespace NicHost.Probe;

/// <summary>What the probe saw the other side do wrong: each kind once, with a count. One thread.</summary>
public sealed class FaultLog
{
    private readonly Dictionary<string, int> _counts = [];

    /// <summary>All faults in all.</summary>
    public int Total { get; private set; }

    /// <summary>Each fault and how often it was seen.</summary>
    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>Records a fault. <paramref name="what"/> is a constant text, so that nothing is allocated per packet.</summary>
    public void Report(string what)
    {
        Total++;
        _counts[what] = _counts.GetValueOrDefault(what) + 1;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join("; ", _counts.Select(c => $"{c.Key} ({c.Value})"));
}
