using NicHost.Contracts.Endpoints;
using NicHost.Loops;
using NicHost.Testing;
using NicHost.Testing.Conformance;

namespace NicHost.Consomme.Tests;

public sealed class ConsommeConformance : EndpointConformance
{
    private const string Other = """
        {
          "kind": "consomme", "hostLoopback": true, "hostname": "other", "limits": { "tcpFlows": 10, "udpIdleSeconds": 5 },
          "forwards": ["tcp:127.0.0.1:0-22", "udp:[::1]:0-53"],
          "dns": { "servers": ["127.0.0.1:9"], "search": ["a.test"], "records": [{ "name": "a.test", "value": "10.9.9.9" }] }
        }
        """;

    private readonly ConsommeFactory _factory = new();

    protected override IEndpoint Create(EventLoop loop) => _factory.Create(Context(loop, """{ "kind": "consomme" }"""));

    protected override EndpointChange Change(EventLoop loop) => new(_factory, Context(loop, """{ "kind": "consomme" }"""), Context(loop, Other));

    private static EndpointContext Context(EventLoop loop, string options) => TestNic.EndpointContext(loop, options, mac: GuestMac.ToString());
}
