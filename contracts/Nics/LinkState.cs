namespace NicHost.Contracts.Nics;

/// <summary>State of a link.</summary>
/// <param name="IsUp">Whether frames pass.</param>
/// <param name="SpeedMbps">Speed in Mbit/s; 0 where it is not known.</param>
public readonly record struct LinkState(bool IsUp, uint SpeedMbps)
{
    /// <summary>Up at 10 Gbit/s: what software endpoints report.</summary>
    public static LinkState Up10G { get; } = new(true, 10_000);

    /// <summary>Down.</summary>
    public static LinkState Down { get; }
}
