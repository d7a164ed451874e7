using System.Runtime.Loader;
using NicHost.Host.Plugins;
using VerifyXunit;

namespace NicHost.Host.Tests.Plugins;

public sealed class CatalogTests : IDisposable
{
    private readonly PluginRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public Task Root_with_every_fault_still_gives_the_good_plugins()
    {
        foreach (var plugin in new[]
                 {
                     "DependencyV1", "DependencyV2", "DuplicateKind", "MissingDependency", "NewerContracts", "OldContracts", "ShipsContracts", "ThrowsInCheck",
                     "ThrowsInConstructor", "ThrowsInOptions", "ThrowsInStaticConstructor", "WrongExport",
                 }) _root.Drop(PluginRoot.Output(plugin), $"{plugin}/1.0.0");
        Directory.CreateDirectory(_root.At("Empty/1.0.0"));
        _root.Write("Garbage/1.0.0/NicHost.Garbage.dll", "this is no assembly"u8);
        _root.Drop(PluginRoot.Output("DependencyV1"), "HalfCopied/1.0.0");
        File.Delete(_root.At("HalfCopied/1.0.0/Dependency.dll"));
        _root.Drop(PluginRoot.Output("DependencyV2"), "SameKind/1.0.0");
        Directory.CreateDirectory(_root.At("NoExport"));
        File.Copy(typeof(NicHost.Linux.Fd).Assembly.Location, _root.At("NoExport/NoExport.dll"));

        var catalog = _root.Load(_root.At("missing"));

        Assert.Equal(["dependency-v1", "dependency-v2", "loopback", "null", "old-contracts", "own-kind"], catalog.EndpointKinds);
        return Verifier.Verify(_root.Clean(PluginReport.Of(catalog, []).ToText()));
    }

    [Fact]
    public void Type_that_cannot_be_loaded_shows_at_once()
    {
        // The version fits, but this dependency has not the type that one of the plugin's derives from.
        var folder = _root.Drop(PluginRoot.Output("DependencyV1"), "MixedUp/1.0.0");
        File.Copy(Path.Combine(PluginRoot.Output("Dependency2"), "Dependency.dll"), Path.Combine(folder, "Dependency.dll"), overwrite: true);
        var plugin = _root.Load().Plugins.Single(plugin => plugin.Name == "MixedUp");
        Assert.Equal(PluginStatus.Faulted, plugin.Status);
        Assert.StartsWith("A type cannot be loaded: Could not load type 'Dependency.OnlyInFirst'", plugin.Reason, StringComparison.Ordinal);
        Assert.EndsWith("Build it anew, against the dependencies that are in its folder.", plugin.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Plugin_that_never_answers_keeps_nobody_else_waiting()
    {
        _root.Drop(PluginRoot.Output("HangsInConstructor"), "HangsInConstructor/1.0.0");
        _root.Drop(PluginRoot.Output("OldContracts"), "OldContracts/1.0.0");
        var catalog = PluginCatalog.Load(new PluginSettings([_root.Path]) { LoadLimit = TimeSpan.FromSeconds(0.3) });
        var hanging = catalog.Plugins.Single(plugin => plugin.Name == "HangsInConstructor");
        Assert.Equal(PluginStatus.Faulted, hanging.Status);
        Assert.StartsWith("It was still busy after 0.3 s, in its constructors", hanging.Reason, StringComparison.Ordinal);
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
    public void Earlier_root_wins_a_kind_from_another_plugin()
    {
        _root.Drop(PluginRoot.Shipped("Consomme"), "Mine");
        var catalog = _root.Load(PluginRoots.Default);
        Assert.Equal("Mine", catalog.EndpointOwners["consomme"].Name);
        Assert.Equal(PluginStatus.Refused, catalog.Plugins.Single(p => p.Name == "Consomme").Status);
        // Taken for another plugin's, not for another version.
        Assert.Null(catalog.Endpoint("vm", "consomme@0.1.0"));
    }

    [Fact]
    public void Plugin_sees_the_hosts_contracts_and_its_own_linux()
    {
        var factory = PluginCatalog.Load([PluginRoots.Default]).Endpoint("vm", "consomme")!.Factory;
        var context = AssemblyLoadContext.GetLoadContext(factory.GetType().Assembly)!;
        Assert.NotSame(AssemblyLoadContext.Default, context);
        Assert.False(context.IsCollectible);
        Assert.DoesNotContain(context.Assemblies, a => a.GetName().Name == "NicHost.Contracts");
        Assert.Contains(context.Assemblies, a => a.GetName().Name == "NicHost.Linux");
    }

    [Fact]
    public void Time_that_loading_takes_is_kept_by_step()
    {
        var plugin = PluginCatalog.Load([PluginRoots.Default]).EndpointOwners["consomme"];
        Assert.True(plugin.Timing is { Preflight: > 0, Load: > 0, Compose: > 0 }, $"{plugin.Timing}");
    }
}
