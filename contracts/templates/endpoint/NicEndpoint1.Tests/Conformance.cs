using NicHost.Contracts.Endpoints;
using NicHost.Loops;
using NicHost.Testing;
using NicHost.Testing.Conformance;

namespace NicEndpoint1.Tests;

/// <summary>What the contract asks of every endpoint: the tests are in the base class.</summary>
public sealed class Conformance : EndpointConformance
{
    protected override IEndpoint Create(EventLoop loop) =>
        new ResponderFactory().Create(TestNic.EndpointContext(loop, """{ "kind": "nic-endpoint-kind" }"""));
}
