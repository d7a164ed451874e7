using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Host.Plugins;
using NicHost.Loops;
using NicHost.Testing;
using NicHost.Testing.Conformance;

namespace NicHost.Host.Tests.Plugins;

/// <summary>A plugin that was compiled against the contracts of 1.0 keeps the contract of today, and today's host runs it.</summary>
public sealed class OldContractsTests : EndpointConformance
{
    private static readonly PluginKind<IEndpointFactory> Old = Load();

    protected override IEndpoint Create(EventLoop loop) => Old.Factory.Create(TestNic.EndpointContext(loop, """{ "kind": "old-contracts" }"""));

    [Fact]
    public void Plugin_is_active_and_says_what_it_was_built_against()
    {
        Assert.Equal(PluginStatus.Active, Old.Plugin.Status);
        Assert.Equal(new Version(1, 0, 0, 0), Old.Plugin.Manifest!.Contracts);
    }

    [Fact]
    public async Task Traffic_passes()
    {
        await using var endpoint = Started();
        var (queue, device) = Open(endpoint, OffloadSet.None);
        using var batch = new TxBuilder();
        Assert.Equal(3, batch.Add(TestFrames.Plain(60, 1)).Add(TestFrames.Plain(900, 2), segmentSize: 100).Add(TestFrames.Plain(1514, 3)).TransmitTo(queue));
        Assert.Equal([60, 900, 1514], device.Received.Select(frame => frame.Bytes.Length));
        Assert.Equal(TestFrames.Plain(900, 2), device.Received[1].Bytes);
    }

    [Fact]
    public async Task What_came_later_falls_back_to_its_default()
    {
        await using var endpoint = Started();
        var context = TestNic.EndpointContext(Loop, """{ "kind": "old-contracts" }""");
        Assert.False(Old.Factory.CanReconfigure(context, context));
        Assert.Throws<NotSupportedException>(() => endpoint.Reconfigure(context));
        Assert.Empty(Old.Factory.Claims(context));
    }

    private static PluginKind<IEndpointFactory> Load()
    {
        using var root = new PluginRoot();
        root.Drop(PluginRoot.Output("OldContracts"), "OldContracts/1.0.0");
        return root.Load().Endpoint("vm", "old-contracts")!;
    }
}
