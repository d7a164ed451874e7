using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Nics;
using NicHost.Loops;
using NicHost.Testing.Conformance;

namespace NicHost.Consomme.Tests;

public sealed class ConsommeConformance : EndpointConformance
{
    protected override IEndpoint Create(EventLoop loop) => new ConsommeFactory().Create(new EndpointContext
    {
        Nic = new NicIdentity("vm", "nic"),
        Mac = GuestMac,
        Mtu = 1500,
        Options = JsonDocument.Parse("""{"kind":"consomme"}""").RootElement,
        BaseDirectory = "/",
        Loop = loop,
        Logging = NullLoggerFactory.Instance,
    });
}
