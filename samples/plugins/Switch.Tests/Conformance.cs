using NicHost.Contracts.Endpoints;
using NicHost.Loops;
using NicHost.Testing;
using NicHost.Testing.Conformance;
using Samples.Switch.Tests.Rig;

namespace Samples.Switch.Tests;

/// <summary>What the contract asks of every endpoint, of a port that is alone on its switch.</summary>
public sealed class Conformance : EndpointConformance
{
    private readonly string _name = $"alone-{Guid.NewGuid():N}";

    protected override IEndpoint Create(EventLoop loop) => SwitchPort.On(_name, loop);

    protected override EndpointChange Change(EventLoop loop) => SwitchPort.Change(_name, loop);
}

/// <summary>The same of a port whose frames have somewhere to go: to a guest that takes them all.</summary>
public sealed class ConformanceWithPeer : EndpointConformance
{
    private readonly string _name = $"pair-{Guid.NewGuid():N}";
    private Nic? _peer;

    protected override IEndpoint Create(EventLoop loop)
    {
        PlugPeer(loop);
        return SwitchPort.On(_name, loop);
    }

    protected override EndpointChange Change(EventLoop loop)
    {
        PlugPeer(loop);
        return SwitchPort.Change(_name, loop);
    }

    private void PlugPeer(EventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        if (_peer is not null) return;
        _peer = new Nic(loop, _name, 2);
        _peer.Device.Record = false;
        loop.RunOnce();
        _peer.Start();
        _peer.Open();
    }
}

/// <summary>A port as a topology would name it.</summary>
internal static class SwitchPort
{
    public static IEndpoint On(string name, EventLoop loop) => new SwitchFactory().Create(Context(name, loop, ""));

    public static EndpointChange Change(string name, EventLoop loop) =>
        new(new SwitchFactory(), Context(name, loop, ""), Context(name, loop, """, "isolated": true, "maxAddresses": 2 """));

    private static EndpointContext Context(string name, EventLoop loop, string more) =>
        TestNic.EndpointContext(loop, $$"""{ "kind": "switch", "name": "{{name}}"{{more}} }""");
}
