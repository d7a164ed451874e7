using NicHost.Host.Commands;
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

    public static TheoryData<string> Shipped => [.. Repository.Topologies()];

    [Theory]
    [MemberData(nameof(Shipped))]
    public Task Topology_that_ships_resolves(string name)
    {
        var resolved = TopologyResolver.Resolve(Source(name).Read(Catalog.Value));
        return Verifier.Verify(TopologyText.Render(resolved)).UseTextForParameters(Path.GetFileNameWithoutExtension(name));
    }

    [Theory]
    [MemberData(nameof(Shipped))]
    public void Topology_that_ships_has_no_fault_and_says_what_it_is_for(string name)
    {
        var output = new StringWriter();
        Assert.True(CheckCommand.Check(Source(name), PluginChoice.None, isJson: false, output) == ExitCode.Fine, output.ToString());
        if (name == "plugins.json") return;
        Assert.All(Repository.Files(name), file => Assert.Contains(File.ReadLines(file).Take(2), line => line.TrimStart().StartsWith("// ", StringComparison.Ordinal)));
        Assert.Contains($"]({Path.GetFileName(name)})", File.ReadAllText(Repository.File("samples/README.md")), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Shipped))]
    public void Topology_that_is_resolved_resolves_to_itself(string name)
    {
        var source = Source(name);
        var model = source.Read(Catalog.Value);
        var once = JsonText.Page(TopologyResolver.Resolve(model));
        var again = new TopologySource([Path.Combine(model.BaseDirectory, "resolved.json")], new MemoryFiles { [Path.Combine(model.BaseDirectory, "resolved.json")] = once }, _ => null);
        Assert.Equal(once, JsonText.Page(TopologyResolver.Resolve(again.Read(Catalog.Value))));
    }

    private static TopologySource Source(string name) => new([Repository.File(name)], environment: _ => null);
}
