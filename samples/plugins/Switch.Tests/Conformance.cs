using NicHost.Contracts.Endpoints;
using NicHost.Loops;
using NicHost.Testing;
using NicHost.Testing.Conformance;
using Samples.Switch.Tests.Rig;

namespace Samples.Switch.Tests;

/// <summary>What the contract asks of every endpoint, of a port that is alone on its switch.</summary>
public sealed class Conformance : EndpointConformance
{
    protected override IEndpoint Create(EventLoop loop) =>
        new SwitchFactory().Create(TestNic.EndpointContext(loop, $$"""{ "kind": "switch", "name": "alone-{{Guid.NewGuid():N}}" }"""));
}

/// <summary>The same of a port whose frames have somewhere to go: to a guest that takes them all.</summary>
public sealed class ConformanceWithPeer : EndpointConformance
{
    protected override IEndpoint Create(EventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        var name = $"pair-{Guid.NewGuid():N}";
        var peer = new Nic(loop, name, 2);
        peer.Device.Record = false;
        loop.RunOnce();
        peer.Start();
        peer.Open();
        return new SwitchFactory().Create(TestNic.EndpointContext(loop, $$"""{ "kind": "switch", "name": "{{name}}" }"""));
    }
}
