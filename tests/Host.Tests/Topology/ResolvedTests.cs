using NicHost.Host.Plugins;
using NicHost.Host.Topology;
using VerifyXunit;

namespace NicHost.Host.Tests.Topology;

/// <summary>The real plugins, the files that the repository ships.</summary>
public sealed class ResolvedTests
{
    private static readonly Lazy<PluginCatalog> Catalog = new(() => PluginCatalog.Load([PluginRoots.Default]));

    [Fact]
    public void Catalog_of_the_shipped_root_has_no_refusal() =>
        Assert.All(Catalog.Value.Plugins, plugin => Assert.True(plugin.Status == PluginStatus.Active, $"{plugin}: {plugin.Reason}"));

    [Theory]
    [InlineData("plugins")]
    [InlineData("samples/smallest")]
    [InlineData("samples/every-option")]
    [InlineData("samples/several-vms")]
    [InlineData("samples/both-devices")]
    public Task Topology_that_ships_resolves(string name)
    {
        var source = new TopologySource([Repository.File($"{name}.json")]);
        return Verifier.Verify(TopologyText.Render(source.Read(Catalog.Value))).UseTextForParameters(Path.GetFileName(name));
    }
}
