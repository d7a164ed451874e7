namespace NicHost.Host.Control;

/// <summary>A request that cannot be answered; the message goes to the operator.</summary>
internal sealed class ControlException(string message) : Exception(message)
{
    /// <summary>Nobody, or nobody who speaks the protocol, is at the other end of the socket.</summary>
    public bool IsNoHost { get; init; }
}
