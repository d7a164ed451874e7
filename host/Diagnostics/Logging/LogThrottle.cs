using Microsoft.Extensions.Logging;

namespace NicHost.Host.Diagnostics.Logging;

/// <summary>
/// Keeps a guest from filling the log: what guests and their VMMs can cause (the entries of plugins, and those about one NIC) passes up to
/// <see cref="Burst"/> times at once and once a second after that, counted for each category, event and NIC. What is left out is counted, and the
/// count is told with the next entry that passes. What an operator asked for by a level below information passes always.
/// </summary>
internal sealed class LogThrottle(TimeProvider time)
{
    /// <summary>Entries of one kind that pass at once.</summary>
    public const int Burst = 20;

    private const string Own = "NicHost.";
    private const string AboutNics = "NicHost.Nics";
    private const int MaxKinds = 16384;

    private static readonly TimeSpan s_refill = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Category, int Event, string? Nic), Allowance> _kinds = [];

    private struct Allowance
    {
        /// <summary>When the allowance would be whole again.</summary>
        public DateTimeOffset WholeAt;

        public long LeftOut;
    }

    /// <summary>Whether an entry passes. Any thread.</summary>
    /// <param name="category">Its category.</param>
    /// <param name="level">Its level.</param>
    /// <param name="id">Its event's id.</param>
    /// <param name="state">Its structured values.</param>
    /// <param name="leftOut">How many of its kind were left out before it, not yet told.</param>
    public bool Passes(string category, LogLevel level, int id, object? state, out long leftOut)
    {
        leftOut = 0;
        if (level < LogLevel.Information || (category != AboutNics && category.StartsWith(Own, StringComparison.Ordinal))) return true;
        var kind = (category, id, category == AboutNics ? Nic(state) : null);
        var now = time.GetUtcNow();
        lock (_gate)
        {
            if (_kinds.Count >= MaxKinds) Forget(now);
            _kinds.TryGetValue(kind, out var allowance);
            var start = allowance.WholeAt > now ? allowance.WholeAt : now;
            var passes = start - now <= s_refill * (Burst - 1);
            if (passes) (allowance.WholeAt, leftOut, allowance.LeftOut) = (start + s_refill, allowance.LeftOut, 0);
            else allowance.LeftOut++;
            _kinds[kind] = allowance;
            return passes;
        }
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var (kind, allowance) in _kinds)
        {
            if (allowance.WholeAt <= now && allowance.LeftOut == 0) _kinds.Remove(kind);
        }
    }

    private static string? Nic(object? state)
    {
        if (state is not IReadOnlyList<KeyValuePair<string, object?>> values) return null;
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i].Key == "Nic") return values[i].Value as string;
        }
        return null;
    }
}
