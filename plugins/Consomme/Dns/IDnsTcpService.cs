using NicHost.Consomme.Core;

namespace NicHost.Consomme.Dns;

/// <summary>
/// The DNS forwarder's TCP side, reached by a flow as if it were any host: an address and port on the host's loopback that only our own
/// connections are served on.
/// </summary>
internal interface IDnsTcpService
{
    IpAddr Address { get; }

    ushort Port { get; }

    /// <summary>Admits a connection that will come from this local port of the host's loopback.</summary>
    void Admit(ushort localPort);
}
