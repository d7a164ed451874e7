using NicHost.Contracts.Endpoints;

namespace NicHost.Testing;

/// <summary>A host that remembers what an endpoint told it.</summary>
public sealed class FakeEndpointHost : IEndpointHost
{
    private readonly List<string> _troubles = [];
    private int _linkChanges;

    /// <summary>How often the link was said to have changed.</summary>
    public int LinkChanges => Volatile.Read(ref _linkChanges);

    /// <summary>Troubles reported so far.</summary>
    public IReadOnlyList<string> Troubles
    {
        get { lock (_troubles) return [.. _troubles]; }
    }

    public void LinkChanged() => Interlocked.Increment(ref _linkChanges);

    public void ReportTrouble(string reason)
    {
        lock (_troubles) _troubles.Add(reason);
    }
}
