using Microsoft.Extensions.Logging;
using NicHost.Consomme.Options;
using NicHost.Contracts.Loops;

namespace NicHost.Consomme.Core;

/// <summary>What every protocol handler of one NIC works with.</summary>
internal sealed record NatContext
{
    public required Network Network { get; init; }

    public required IGuestPort Port { get; init; }

    public required IEventLoop Loop { get; init; }

    public required DestinationPolicy Destinations { get; init; }

    public required IIcmpErrors Icmp { get; init; }

    public required LimitOptions Limits { get; init; }

    public required IReadOnlyList<Forward> Forwards { get; init; }

    /// <summary>Where forwards lead to: <see cref="GuestAddresses.Target"/>.</summary>
    public required GuestAddresses GuestAddresses { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>Records a trouble of the host's side, for the operator.</summary>
    public required Action<string> ReportTrouble { get; init; }

    /// <summary>
    /// Where DNS over TCP is served: an address and port on the host's loopback that only our own connections are served on; the flow's
    /// local port is made known before it connects.
    /// </summary>
    public IDnsTcpService? DnsTcp { get; init; }
}

/// <summary>The DNS forwarder's TCP side, reached by a flow as if it were any host.</summary>
internal interface IDnsTcpService
{
    IpAddr Address { get; }

    ushort Port { get; }

    /// <summary>Admits a connection that will come from this local port of the host's loopback.</summary>
    void Admit(ushort localPort);
}
