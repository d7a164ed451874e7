using NicHost.Consomme.Dns;
using NicHost.Consomme.Forwards;
using NicHost.Consomme.Options;

namespace NicHost.Consomme.Core;

/// <summary>
/// The options that may change while the NAT runs, ready for use. Immutable: a change replaces the whole of it, in one place (<see cref="Nat.Reconfigure"/>).
/// Whoever needs some of it reads it anew from <see cref="NatContext.Model"/>; what is remembered is only what was begun under an older one.
/// </summary>
internal sealed class NatModel(Network network, ConsommeSettings settings)
{
    public DestinationPolicy Destinations { get; } = new(network, settings.HostLoopback);

    public LimitOptions Limits { get; } = settings.Limits;

    public IReadOnlyList<Forward> Forwards { get; } = settings.Forwards;

    public DnsSettings Dns { get; } = settings.Dns;

    /// <summary>The records of <see cref="Dns"/>, to be looked up.</summary>
    public StaticNames Names { get; } = new(settings.Dns.Records);

    /// <summary>The guest's name, for its lease.</summary>
    public string? Hostname { get; } = settings.Hostname;
}
