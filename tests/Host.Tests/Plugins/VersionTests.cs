using System.Runtime.Loader;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Host.Plugins;
using NicHost.Host.Tests.Topology;
using NicHost.Host.Topology;

namespace NicHost.Host.Tests.Plugins;

public sealed class VersionTests : IDisposable
{
    private readonly PluginRoot _root = new();
    private readonly PluginRoot _second = new();

    public void Dispose()
    {
        _root.Dispose();
        _second.Dispose();
    }

    [Theory]
    [InlineData("1.10.0", "1.9.0")]
    [InlineData("1.10.0", "1.10.0-rc.1")]
    [InlineData("1.10.0-beta.10", "1.10.0-beta.2")]
    [InlineData("1.10.0-beta.1.1", "1.10.0-beta.1")]
    [InlineData("1.10.0-beta", "1.10.0-7")]
    [InlineData("1.2.3.4", "1.2.3")]
    [InlineData("0.1", "")]
    public void Version_is_above_an_older_one(string newer, string older)
    {
        Assert.True(PluginFolder.CompareVersions(newer, older) < 0);
        Assert.True(PluginFolder.CompareVersions(older, newer) > 0);
    }

    [Theory]
    [InlineData("notes")]
    [InlineData("1")]
    [InlineData("v1.0.0")]
    [InlineData("1.0.0-")]
    [InlineData("1.0.0-a..b")]
    [InlineData("1.99999999999.0")]
    public void Folder_is_no_version(string name) => Assert.Null(PluginVersion.Parse(name));

    [Fact]
    public void Every_version_is_found_highest_first_and_loose_files_last()
    {
        foreach (var version in new[] { "1.9.0", "1.10.0-beta.1", "1.10.0-alpha", "1.2.0", "notes", ".staging" }) Directory.CreateDirectory(_root.At($"P/{version}"));
        Directory.CreateDirectory(_root.At(".hidden/1.0.0"));
        Assert.Equal(["1.10.0-beta.1", "1.10.0-alpha", "1.9.0", "1.2.0"], PluginFolder.Scan(_root.Path).Select(folder => folder.Version));
        _root.Write("P/P.dll", "any"u8);
        Assert.Equal("", PluginFolder.Scan(_root.Path)[^1].Version);
    }

    [Fact]
    public void Newest_version_has_the_kind_and_an_older_one_is_loaded_when_it_is_named()
    {
        Drop("Gate/1.0.0", "Gate/1.10.0", "Gate/1.9.0");
        var catalog = _root.Load();
        Assert.Equal("1.10.0", catalog.Endpoint("vm", "gate")!.Plugin.Version);
        var older = Plugin(catalog, "1.9.0");
        Assert.Equal(PluginStatus.Superseded, older.Status);
        Assert.Equal("Gate 1.10.0 has its kinds. A NIC that shall have this version says \"kind\": \"gate@1.9.0\".", older.Reason);
        Assert.False(older.IsLoaded);

        var pinned = catalog.Endpoint("vm", "gate@1.9.0")!;

        Assert.Equal(("gate", older), (pinned.Kind, pinned.Plugin));
        Assert.True(older.IsLoaded);
        Assert.False(Plugin(catalog, "1.0.0").IsLoaded);
        Assert.Equal(PluginStatus.Superseded, older.Status);
        Assert.Same(pinned, catalog.Endpoint("vm", "gate@1.9.0"));
        Assert.Same(catalog.Endpoint("vm", "gate"), catalog.Endpoint("vm", "gate@1.10.0"));
    }

    [Theory]
    [InlineData("gate@1.0")]
    [InlineData("gate@2.0.0")]
    [InlineData("gate@")]
    [InlineData("@1.0.0")]
    [InlineData("gate@1.0.0@1.0.0")]
    [InlineData("null@1.0.0")]
    public void Name_of_a_version_that_is_not_there_finds_nothing(string kind)
    {
        Drop("Gate/1.0.0");
        Assert.Null(_root.Load().Endpoint("vm", kind));
    }

    [Theory]
    [InlineData("gate@2.0.0", "Versions that are there: 1.10.0, 1.9.0. Name one of them, or write \"gate\" for the newest.")]
    [InlineData("null@1.0.0", "\"null\" has no versions to choose from: write it alone.")]
    [InlineData("gat@1.9.0", "Did you mean \"gate\"?")]
    public void Version_that_is_not_there_is_told_with_those_that_are(string kind, string remedy)
    {
        Drop("Gate/1.9.0", "Gate/1.10.0");
        // A version that cannot be used is none to choose, but is told with its reason.
        File.Delete(Path.Combine(Drop("Gate/3.0.0"), "Gate.dll"));
        var topology = MemoryFiles.Source($$"""{ "vms": { "vm": { "nics": { "nic": { "device": {}, "endpoint": { "kind": "{{kind}}" } } } } } }""");
        var faults = Assert.Throws<TopologyException>(() => topology.Load().Read(_root.Load())).Faults;
        var fault = Assert.Single(faults, fault => fault.Path == "$.vms.vm.nics.nic.endpoint.kind");
        Assert.Equal($"Endpoint kind \"{kind}\" is not there.", fault.Message);
        Assert.StartsWith(remedy, fault.Remedy, StringComparison.Ordinal);
        if (kind == "gate@2.0.0") Assert.Contains("Not loaded: Gate 3.0.0 (", fault.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_versions_of_a_plugin_run_side_by_side()
    {
        Drop("Gate/1.0.0", "Gate/2.0.0");
        var catalog = _root.Load();
        var (old, current) = (catalog.Endpoint("vm", "gate@1.0.0")!.Factory, catalog.Endpoint("vm", "gate")!.Factory);
        Assert.NotSame(old.GetType(), current.GetType());
        Assert.NotSame(AssemblyLoadContext.GetLoadContext(old.GetType().Assembly), AssemblyLoadContext.GetLoadContext(current.GetType().Assembly));
    }

    [Fact]
    public void Unversioned_folder_works_and_gives_way_to_any_version()
    {
        Drop("Gate");
        Assert.Equal("", _root.Load().Endpoint("vm", "gate")!.Plugin.Version);
        Drop("Gate/0.1.0");
        var catalog = _root.Load();
        Assert.Equal("0.1.0", catalog.Endpoint("vm", "gate")!.Plugin.Version);
        Assert.Equal("Gate 0.1.0 has its kinds. To keep this one, put it into a version folder and name that in the topology.", Plugin(catalog, "").Reason);
    }

    [Fact]
    public void Earlier_root_has_the_kind_though_a_later_one_has_a_higher_version()
    {
        Drop("Gate/1.0.0");
        _second.Drop(PluginRoot.Output("Gate"), "Gate/2.0.0");
        var catalog = _root.Load(_second.Path);
        Assert.Equal("1.0.0", catalog.Endpoint("vm", "gate")!.Plugin.Version);
        Assert.Contains("Gate 1.0.0 in " + _root.At("Gate/1.0.0") + ", which comes first, has its kinds.", Plugin(catalog, "2.0.0").Reason!, StringComparison.Ordinal);
        Assert.Equal("2.0.0", catalog.Endpoint("vm", "gate@2.0.0")!.Plugin.Version);
    }

    [Fact]
    public void Kind_that_the_newest_version_no_longer_brings_stays_with_an_older_one()
    {
        Drop("Gate/1.0.0");
        _root.Drop(PluginRoot.Output("HangsInStop"), "Gate/2.0.0");
        var catalog = _root.Load();
        Assert.Equal("1.0.0", catalog.Endpoint("vm", "gate")!.Plugin.Version);
        Assert.Equal("2.0.0", catalog.Endpoint("vm", "hangs-in-stop")!.Plugin.Version);
        Assert.All(catalog.Plugins, plugin => Assert.Equal(PluginStatus.Active, plugin.Status));
    }

    [Fact]
    public void Newest_version_that_cannot_be_used_leaves_the_kind_to_the_next()
    {
        Drop("Gate/1.0.0");
        var newest = Drop("Gate/3.0.0");
        File.Delete(Path.Combine(newest, "Gate.dll"));
        _root.Drop(PluginRoot.Output("ThrowsInConstructor"), "Gate/2.0.0");
        var catalog = _root.Load();
        Assert.Equal("1.0.0", catalog.Endpoint("vm", "gate")!.Plugin.Version);
        Assert.Equal([PluginStatus.Refused, PluginStatus.Faulted, PluginStatus.Active], catalog.Plugins.Where(p => p.Name == "Gate").Select(p => p.Status));
    }

    [Fact]
    public void New_version_supersedes_the_old_one_of_a_running_host_whose_factories_stay_the_same()
    {
        Drop("Gate/1.0.0");
        var host = new PluginHost(new PluginSettings([_root.Path]), NullLoggerFactory.Instance);
        var before = host.Current.Endpoint("vm", "gate")!;
        var changes = new List<PluginCatalog>();
        host.Changed += changes.Add;

        Drop("Gate/2.0.0");
        var after = host.Refresh();

        Assert.Same(after, host.Current);
        Assert.Equal([after], changes);
        Assert.Equal("2.0.0", after.Endpoint("vm", "gate")!.Plugin.Version);
        Assert.Same(before, after.Endpoint("vm", "gate@1.0.0"));
        Assert.Equal(PluginStatus.Superseded, before.Plugin.Status);

        host.Refresh();
        Assert.Single(changes);
        Assert.Same(after.Endpoint("vm", "gate"), host.Current.Endpoint("vm", "gate"));
    }

    [Fact]
    public void Folder_that_is_gone_is_kept_for_its_users_and_is_the_same_when_it_comes_back()
    {
        Drop("Gate/1.0.0");
        var host = new PluginHost(new PluginSettings([_root.Path]), NullLoggerFactory.Instance);
        var kind = host.Current.Endpoint("vm", "gate")!;
        host.Users = () => [("vm", kind.Plugin)];

        Directory.Move(_root.At("Gate"), _root.At(".away"));
        host.Refresh();
        Assert.Equal(PluginStatus.Removed, kind.Plugin.Status);
        Assert.Contains(kind.Plugin, host.Current.Plugins);
        Assert.Null(host.Current.Endpoint("vm", "gate"));

        host.Users = () => [];
        host.Refresh();
        Assert.DoesNotContain(kind.Plugin, host.Current.Plugins);

        Directory.Move(_root.At(".away"), _root.At("Gate"));
        host.Refresh();
        Assert.Same(kind, host.Current.Endpoint("vm", "gate"));
        Assert.Equal(PluginStatus.Active, kind.Plugin.Status);
    }

    [Fact]
    public void Code_of_a_version_does_not_need_its_folder_any_more_once_it_is_loaded()
    {
        _root.Drop(PluginRoot.Shipped("Consomme"), "Consomme/1.0.0");
        var factory = _root.Load().Endpoint("vm", "consomme")!.Factory;
        var loaded = AssemblyLoadContext.GetLoadContext(factory.GetType().Assembly)!.Assemblies.Select(assembly => assembly.GetName().Name);
        Assert.Equal(["NicHost.Consomme", "NicHost.Linux", "NicHost.Wire"], loaded.Order());
    }

    [Fact]
    public void Folders_that_were_not_renamed_to_their_place_wait_for_a_thorough_look()
    {
        var host = new PluginHost(new PluginSettings([_root.Path]), NullLoggerFactory.Instance);
        Drop("Gate/1.0.0");
        host.Refresh(new HashSet<string>());
        var waiting = host.Current.Plugins.Single(plugin => plugin.Name == "Gate");
        Assert.Equal(PluginStatus.Refused, waiting.Status);
        Assert.Contains("--rescan", waiting.Reason, StringComparison.Ordinal);
        Assert.Null(host.Current.Endpoint("vm", "gate"));

        host.Refresh(new HashSet<string> { _root.At("Gate/1.0.0") });
        Assert.NotNull(host.Current.Endpoint("vm", "gate"));
    }

    private static PluginEntry Plugin(PluginCatalog catalog, string version) => catalog.Plugins.Single(plugin => plugin.Name == "Gate" && plugin.Version == version);

    private string Drop(params string[] folders)
    {
        foreach (var folder in folders) _root.Drop(PluginRoot.Output("Gate"), folder);
        return _root.At(folders[^1]);
    }
}
