using NicHost.Consomme.Core;

namespace NicHost.Consomme.Forwards;

/// <summary>One port (ranges are spread out before) of the host that leads to the guest.</summary>
/// <param name="IsTcp">TCP, else UDP.</param>
/// <param name="Host">Address to listen on; unspecified (0.0.0.0 or ::) for all.</param>
/// <param name="HostPort">Port to listen on; 0 for any free one.</param>
/// <param name="Guest">The guest's address: its lease, or what the forward names.</param>
/// <param name="GuestPort">The guest's port.</param>
/// <param name="Text">As the topology has it, for messages.</param>
internal sealed record Forward(bool IsTcp, IpAddr Host, ushort HostPort, IpAddr Guest, ushort GuestPort, string Text)
{
    /// <summary>Whether both are the same but for how they were written.</summary>
    public bool IsSameAs(Forward other) => this == other with { Text = Text };

    /// <summary>Whether a socket of one would be in the way of a socket of the other, which has another address.</summary>
    public bool Overlaps(IpAddr address) => Host.IsV4 == address.IsV4 && (Host.IsUnspecified || address.IsUnspecified);
}
