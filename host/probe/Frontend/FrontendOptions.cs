namespace NicHost.Probe.Frontend;

/// <summary>How the front-end attaches and what it wants.</summary>
public sealed record FrontendOptions
{
    /// <summary>Path of the UNIX socket.</summary>
    public required string Socket { get; init; }

    /// <summary>Whether to listen there and wait for the back-end (its client mode), instead of connecting.</summary>
    public bool Listen { get; init; }

    /// <summary>Device features to acknowledge if offered.</summary>
    public VirtioFeatures Features { get; init; } = VirtioFeatures.Default;

    /// <summary>Protocol features to acknowledge if offered.</summary>
    public ProtocolFeatures Protocol { get; init; } = ProtocolFeatures.Default;

    /// <summary>Queue pairs to use, if the back-end has as many.</summary>
    public int QueuePairs { get; init; } = 1;

    /// <summary>How long to wait for anything that the back-end has to do.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Receives a line per message.</summary>
    public Action<string>? Trace { get; init; }
}
