using NicHost.Host.Topology;

namespace NicHost.Host.Machines;

/// <summary>
/// How long a NIC waits after a fault before it is made anew: twice as long each time, up to a limit, and back to the first delay after a
/// life that was long enough. Where the policy limits the restarts, it counts them in a sliding window.
/// </summary>
internal sealed class Backoff(TimeProvider time)
{
    private readonly Queue<long> _restarts = new();
    private TimeSpan _next;

    /// <summary>The delay before the next restart; null when the policy's limit is reached.</summary>
    /// <param name="policy">The NIC's.</param>
    /// <param name="lived">How long the life lasted that the fault ended.</param>
    public TimeSpan? Next(RestartPolicy policy, TimeSpan lived)
    {
        var now = time.GetTimestamp();
        while (_restarts.TryPeek(out var oldest) && time.GetElapsedTime(oldest, now) > policy.Window) _restarts.Dequeue();
        if (policy.Limit > 0 && _restarts.Count >= policy.Limit) return null;
        if (policy.Limit > 0) _restarts.Enqueue(now);
        if (_next < policy.FirstDelay || lived > policy.LongestDelay * 2) _next = policy.FirstDelay;
        var delay = _next < policy.LongestDelay ? _next : policy.LongestDelay;
        _next = delay * 2;
        return delay;
    }

    /// <summary>Somebody has changed or restarted the NIC: it starts with a clean record.</summary>
    public void Reset()
    {
        _restarts.Clear();
        _next = default;
    }
}
