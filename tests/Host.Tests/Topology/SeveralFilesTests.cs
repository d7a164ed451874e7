using NicHost.Host.Plugins;
using NicHost.Host.Tests.Doubles;
using NicHost.Host.Topology;
using VerifyXunit;

namespace NicHost.Host.Tests.Topology;

/// <summary>A topology from several files and folders.</summary>
public sealed class SeveralFilesTests
{
    private const string Part = """ "device": { "kind": "card" }, "endpoint": { "kind": "null" } """;

    private static readonly PluginCatalog Catalog = PluginCatalog.Of([("card", new FakeDeviceFactory([]))], [("cable", new FakeEndpointFactory([]))]);

    private readonly MemoryFiles _files = new();

    [Fact]
    public void Files_folders_and_includes_add_up_in_order_each_file_once()
    {
        _files["a.json"] = $$"""{ "plugins": ["p1"], "include": ["vms/", "more/c.json"], "vms": { {{Vm("a")}} } }""";
        _files["vms/2.json"] = $$"""{ "plugins": ["../p2", "p3"], "include": ["1.json"], "vms": { {{Vm("v2")}} } }""";
        _files["vms/1.json"] = $$"""{ "vms": { {{Vm("v1")}} } }""";
        _files["vms/.hidden.json"] = "not JSON";
        _files["vms/notes.txt"] = "not JSON";
        _files["more/c.json"] = $$"""{ "plugins": ["../p1"], "vms": { {{Vm("c")}} } }""";
        var source = Source("a.json", "vms", "./more/../a.json");
        var model = source.Read(Catalog);
        Assert.Equal(["a", "v1", "v2", "c"], model.Vms.Select(vm => vm.Name));
        Assert.Equal(["a.json", "vms/1.json", "vms/2.json", "more/c.json"], model.Files);
        Assert.Equal(["p1", "p2", "vms/p3"], source.Load().PluginRoots.Select(Relative));
        Assert.Equal(["a.json", "more/c.json", "vms/1.json", "vms/2.json"], source.Files.Select(Relative));
        Assert.Equal(["vms"], source.Folders.Select(Relative));
        Assert.Equal(["", "vms", "vms", "more"], model.Vms.Select(vm => Relative(vm.Nics[0].BaseDirectory)).Select(path => path == "." ? "" : path));
    }

    [Fact]
    public void Source_that_is_read_again_sees_what_has_changed()
    {
        var source = Source("vms");
        _files["vms/a.json"] = $$"""{ "vms": { {{Vm("a")}} } }""";
        Assert.Equal(["a"], source.Read(Catalog).Vms.Select(vm => vm.Name));
        _files["vms/b.json"] = $$"""{ "vms": { {{Vm("b")}} } }""";
        Assert.Equal(["a", "b"], source.Read(Catalog).Vms.Select(vm => vm.Name));
        _files["vms/b.json"] = "{";
        Assert.Throws<TopologyException>(() => source.Read(Catalog));
        Assert.Equal(["vms/a.json", "vms/b.json"], source.Files.Select(Relative));
    }

    [Fact]
    public Task Faults_of_all_files_are_told_each_with_its_own_place()
    {
        _files["a.json"] = $$"""
            {
              "include": ["vms", "nowhere.json", 3, "", "b.json", "a.json"],
              "control": { "mode": "0600" },
              "defaults": { "nic": { "mtu": 1400 }, "device": { "card": { "names": ["x"], "limits": { "flows": 1 } } } },
              "vms": { {{Vm("web")}} }
            }
            """;
        _files["b.json"] = """
            {
              "include": ["a.json"],
              "unloadable": true,
              "control": { "mode": "0660" },
              "defaults": { "nic": { "mtu": 9000 }, "device": { "card": { "names": ["y"], "limits": { "flows": 1, "inner": [] } } } }
            }
            """;
        _files["vms/1.json"] = "{ \"vms\": { }";
        _files["vms/2.json"] = $$"""
            {
              "unloadable": false,
              "vms": {
                {{Vm("web")}},
                "db": { "nics": { "eth0": { "mtuu": 1, {{Part}} } } }
              }
            }
            """;
        return Verifier.Verify(Faults("a.json", "other.json"));
    }

    [Fact]
    public void Folder_without_files_is_a_topology_without_VMs()
    {
        _files["vms/.keep"] = "";
        Assert.Empty(Source("vms").Read(Catalog).Vms);
        _files["a.json"] = """{ "include": ["vms"] }""";
        Assert.Empty(Source("a.json").Read(Catalog).Vms);
    }

    [Fact]
    public void File_that_includes_its_own_folder_means_the_others()
    {
        _files["vms/all.json"] = """{ "include": ["."] }""";
        _files["vms/b.json"] = $$"""{ "vms": { {{Vm("b")}} } }""";
        Assert.Equal(["b"], Source("vms/all.json").Read(Catalog).Vms.Select(vm => vm.Name));
    }

    private static string Vm(string name) => $$""" "{{name}}": { "nics": { "eth0": { {{Part}} } } } """.Trim();

    private static string Relative(string path) => Path.GetRelativePath(Directory.GetCurrentDirectory(), path);

    private TopologySource Source(params string[] paths) => new(paths, _files, _ => null);

    private string Faults(params string[] paths) => Assert.Throws<TopologyException>(() => Source(paths).Read(Catalog)).Message;
}
