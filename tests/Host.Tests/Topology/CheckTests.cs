using NicHost.Host.Plugins;
using NicHost.Host.Tests.Doubles;
using NicHost.Host.Topology;
using VerifyXunit;

namespace NicHost.Host.Tests.Topology;

public sealed class CheckTests
{
    private static readonly PluginCatalog Catalog = PluginCatalog.Of([("card", new FakeDeviceFactory([]))], [("cable", new FakeEndpointFactory([]))]);

    [Fact]
    public Task Check_of_a_file_with_many_faults_lists_all_of_them() => Verifier.Verify(Faults("""
        {
          // Comments and trailing commas are no fault.
          "$schema": "x",
          "kind": "topology",
          "plugins": ["a", 3],
          "vm": {},
          "vms": {
            "web": {
              "nics": {
                "eth0": {
                  "mac": "52:54:00:12:34",
                  "mtuu": 1500,
                  "device": { "kind": "carb" },
                  "endpoint": { "kind": 7 },
                },
                "eth1": {
                  "mac": "53:54:00:12:34:56",
                  "mtu": 67,
                  "device": { "kind": "card", "queues": 0, "names": ["x", ""] },
                  "endpoint": { "kind": "cable", "socet": "a", "queues": "two" },
                },
                "eth2": { "mtu": 65521, "device": { "socket": "a" }, "endpoint": [] },
                "eth3": { "mac": "00:00:00:00:00:00", "mtu": 1e9, "device": null },
                "eth3": {},
                "eth5": {
                  "device": { "kind": "card", "limits": { "flow": 1, "flows": true, "inner": [{ "flows": 1 }, { "flows": "x", "kind": 1 }, 3] }, "colour": "green" },
                  "endpoint": { "kind": "cable", "limits": [], "names": {} },
                },
                "Eth 4": { "device": { "kind": "card" }, "endpoint": { "kind": "null" } },
              },
            },
            "a.b": { "nics": { "eth0": { "mtu": 9001, "device": { "kind": "card" }, "endpoint": { "kind": "cable" } } } },
            "db": 3,
          },
        }
        """));

    [Fact]
    public Task Check_of_NICs_that_want_the_same_names_the_first_owner() => Verifier.Verify(Faults("""
        {
          "vms": {
            "a": {
              "nics": {
                "eth0": { "mac": "52:54:00:00:00:01", "device": { "kind": "card", "socket": "/tmp/x.sock" }, "endpoint": { "kind": "null" } },
                "eth1": { "mac": "52-54-00-00-00-01", "device": { "kind": "card", "socket": "/tmp/../tmp/x.sock" }, "endpoint": { "kind": "null" } }
              }
            },
            "b": { "nics": { "eth0": { "device": { "kind": "card", "socket": "/tmp/x.sock" }, "endpoint": { "kind": "null" } } } }
          }
        }
        """));

    [Fact]
    public Task Check_of_link_restart_and_host_settings_lists_their_faults() => Verifier.Verify(Faults("""
        {
          "unloadable": "yes",
          "allowWritablePlugins": 1,
          "control": { "socket": "", "mode": "rw", "owner": "", "group": 7, "port": 1 },
          "vms": {
            "a": {
              "nics": {
                "n0": { "link": "Down", "restart": { "limit": -1, "windowSeconds": 0, "firstDelaySeconds": 0 }, "device": { "kind": "card" }, "endpoint": { "kind": "null" } },
                "n1": { "link": true, "restart": { "limit": 1.5, "delay": 3, "longestDelaySeconds": 1e400 }, "device": { "kind": "card" }, "endpoint": { "kind": "null" } },
                "n2": { "restart": { "firstDelaySeconds": 5, "longestDelaySeconds": 2 }, "device": { "kind": "card" }, "endpoint": { "kind": "null" } },
                "n3": { "restart": null, "link": null, "device": { "kind": "card" }, "endpoint": { "kind": "null" } }
              }
            }
          }
        }
        """));

    [Fact]
    public void Link_and_restart_policy_are_in_the_model()
    {
        var nics = Read("""
            { "vms": { "a": { "nics": {
              "n0": { "link": "down", "restart": { "firstDelaySeconds": 0.5, "longestDelaySeconds": 8, "limit": 3, "windowSeconds": 60 }, "device": { "kind": "card" }, "endpoint": { "kind": "null" } },
              "n1": { "restart": { "limit": 2 }, "device": { "kind": "card" }, "endpoint": { "kind": "null" } } } } } }
            """).Vms[0].Nics;
        Assert.Equal((false, true), (nics[0].IsLinkUp, nics[1].IsLinkUp));
        Assert.Equal(new RestartPolicy(TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(8), 3, TimeSpan.FromSeconds(60)), nics[0].Restart);
        Assert.Equal(RestartPolicy.Default with { Limit = 2 }, nics[1].Restart);
    }

    [Fact]
    public void Host_settings_are_in_the_model()
    {
        var settings = Read("""{ "unloadable": true, "allowWritablePlugins": true, "control": { "socket": "/run/x.sock", "mode": "0660", "group": "kvm" }, "vms": {} }""").Settings;
        Assert.Equal((true, true), (settings.Unloadable, settings.AllowWritablePlugins));
        Assert.Equal(("/run/x.sock", null, "kvm"), (settings.Control.Socket, settings.Control.Owner, settings.Control.Group));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, settings.Control.Mode);
        var plain = Read("""{ "vms": {} }""").Settings;
        Assert.Equal((false, false, new ControlSettings()), (plain.Unloadable, plain.AllowWritablePlugins, plain.Control));
    }

    [Theory]
    [InlineData("", "1:1")]
    [InlineData("{", "1:2")]
    [InlineData("{\n  \"vms\": {}\n  \"plugins\": []\n}", "3:3")]
    [InlineData("{\n  'vms': {}\n}", "2:3")]
    [InlineData("{ \"vms\": {} } x", "1:15")]
    public void Text_that_is_not_JSON_is_one_fault_with_its_place(string text, string place)
    {
        var fault = Assert.Single(Assert.Throws<TopologyException>(() => Read(text)).Faults);
        Assert.StartsWith($"sample.json:{place} $: This is not JSON:", fault.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"vms\": null}")]
    [InlineData("{\"vms\": []}")]
    [InlineData("{\"vms\": {\"a\": {\"nics\": {\"b\": null}}}}")]
    public void Document_of_another_shape_is_a_fault_and_no_crash(string text) =>
        Assert.NotEmpty(Assert.Throws<TopologyException>(() => Read(text)).Faults);

    [Fact]
    public void Column_counts_characters_not_bytes()
    {
        var fault = Assert.Single(Assert.Throws<TopologyException>(() => Read("{ \"vms\": {} /* ÄÖÜ😀 */, \"x\": 1 }")).Faults);
        Assert.Equal((1, 26), (fault.Line, fault.Column));
    }

    [Fact]
    public void File_that_is_not_there_is_a_fault()
    {
        var fault = Assert.Single(Assert.Throws<TopologyException>(() => new TopologySource(["/nowhere/x.json"]).Read(Catalog)).Faults);
        Assert.Contains("There is no such file.", fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Document_cut_anywhere_never_crashes_the_reader()
    {
        const string text = """{"vms":{"a":{"nics":{"b":{"mac":"52:54:00:00:00:01","mtu":1500,"device":{"kind":"card","names":["x"]},"endpoint":{"kind":"null"}}}}}}""";
        Read(text);
        for (var i = 0; i < text.Length; i++) Assert.Throws<TopologyException>(() => Read(text[..i]));
    }

    private static string Faults(string text) => Assert.Throws<TopologyException>(() => Read(text)).Message;

    private static TopologyModel Read(string text) => MemoryFiles.Source(text).Read(Catalog);
}
