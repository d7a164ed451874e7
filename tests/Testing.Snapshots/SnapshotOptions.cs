namespace NicHost.Testing.Snapshots;

/// <summary>How a topology is resolved for a snapshot.</summary>
public sealed record SnapshotOptions
{
    /// <summary>
    /// The host: <c>nichost</c>, <c>nichost.dll</c> or a folder with one of them. Null: what <c>NICHOST</c> names in the environment, else
    /// <c>nichost</c> of <c>PATH</c>, else <c>/usr/lib/nichost</c>.
    /// </summary>
    public string? Host { get; init; }

    /// <summary>Plugin roots that come before those of the topology, from the folder of the test's source file on.</summary>
    public IReadOnlyList<string> PluginRoots { get; init; } = [];

    /// <summary>Variables for the topology, beside those that the test has; a null value takes one away.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>The case of a theory, for the files' name: <c>File.Method_Case.verified.txt</c>.</summary>
    public string? Case { get; init; }

    /// <summary>How long the host may take. Default: two minutes.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);
}
