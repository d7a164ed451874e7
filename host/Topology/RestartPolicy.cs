namespace NicHost.Host.Topology;

/// <summary>When a NIC is made anew after a fault, and when no more.</summary>
/// <param name="FirstDelay">Before the first restart; then twice as long each time.</param>
/// <param name="LongestDelay">What the delay grows to; never below <paramref name="FirstDelay"/>.</param>
/// <param name="Limit">Restarts within <paramref name="Window"/> after which the NIC stays down; 0 means no limit.</param>
/// <param name="Window">The span in which restarts count.</param>
internal sealed record RestartPolicy(TimeSpan FirstDelay, TimeSpan LongestDelay, int Limit, TimeSpan Window)
{
    public static RestartPolicy Default { get; } = From(new RestartConfig());

    public RestartConfig ToConfig() => new()
    {
        FirstDelaySeconds = FirstDelay.TotalSeconds,
        LongestDelaySeconds = LongestDelay.TotalSeconds,
        Limit = Limit,
        WindowSeconds = (int)Window.TotalSeconds,
    };

    public static RestartPolicy From(RestartConfig config) => new(
        TimeSpan.FromSeconds(config.FirstDelaySeconds), TimeSpan.FromSeconds(config.LongestDelaySeconds), config.Limit, TimeSpan.FromSeconds(config.WindowSeconds));
}
