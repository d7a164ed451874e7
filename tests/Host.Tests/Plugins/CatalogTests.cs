using NicHost.Host.Plugins;
using VerifyXunit;

namespace NicHost.Host.Tests.Plugins;

public sealed class CatalogTests : IDisposable
{
    private readonly PluginRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public Task Root_with_broken_folders_still_gives_the_good_ones()
    {
        Directory.CreateDirectory(_root.At("A-Empty/1.0.0"));
        _root.Write("B-Garbage/1.0.0/NicHost.B-Garbage.dll", "this is no assembly"u8);
        _root.Drop(PluginRoot.Output("ThrowsInConstructor"), "C-Throws/1.0.0");
        _root.Drop(PluginRoot.Shipped("Consomme"), "D-ShipsContracts/1.0.0");
        _root.Write("D-ShipsContracts/1.0.0/NicHost.Contracts.dll", "any"u8);
        _root.Drop(PluginRoot.Shipped("Consomme"), "E-Good/1.0.0");
        _root.Drop(PluginRoot.Shipped("Consomme"), "F-SameKind/1.0.0");
        Directory.CreateDirectory(_root.At("G-NoExport"));
        File.Copy(typeof(NicHost.Linux.Fd).Assembly.Location, _root.At("G-NoExport/G-NoExport.dll"));

        return Verifier.Verify(_root.Clean(PluginReport.Of(_root.Load(_root.At("missing")), []).ToText()));
    }

    [Fact]
    public Task Report_as_JSON_has_everything_that_the_text_has()
    {
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
        _root.Drop(PluginRoot.Output("Gate"), "Gate/2.0.0");
        Directory.CreateDirectory(_root.At("Empty"));
        var catalog = _root.Load();
        var json = PluginReport.Of(catalog, [("b", catalog.Plugins[^2]), ("a", catalog.Plugins[^2]), ("a", catalog.Plugins[^2])]).ToJson();
        Assert.Equal(json, PluginReport.Parse(json).ToJson());
        return Verifier.Verify(_root.Clean(json));
    }

    [Fact]
    public void Earlier_root_wins_a_kind()
    {
        _root.Drop(PluginRoot.Shipped("Consomme"), "Mine");
        var catalog = _root.Load(PluginRoots.Default);
        Assert.Equal("Mine", catalog.Endpoints["consomme"].Plugin.Name);
        Assert.Equal(PluginStatus.Refused, catalog.Plugins.Single(p => p.Name == "Consomme").Status);
    }

    [Fact]
    public void Plugin_sees_the_hosts_contracts_and_its_own_linux()
    {
        var factory = PluginCatalog.Load([PluginRoots.Default]).Endpoints["consomme"].Factory;
        var context = System.Runtime.Loader.AssemblyLoadContext.GetLoadContext(factory.GetType().Assembly)!;
        Assert.NotSame(System.Runtime.Loader.AssemblyLoadContext.Default, context);
        Assert.False(context.IsCollectible);
        Assert.DoesNotContain(context.Assemblies, a => a.GetName().Name == "NicHost.Contracts");
    }
}
