using System.Text.Json.Nodes;
using NicHost.Host.Plugins;
using NicHost.Host.Tests.Doubles;
using NicHost.Host.Topology;
using VerifyXunit;

namespace NicHost.Host.Tests.Topology;

/// <summary>Defaults and variables, from text to model.</summary>
public sealed class DefaultsTests
{
    private static readonly PluginCatalog Catalog = PluginCatalog.Of([("card", new FakeDeviceFactory([]))], [("cable", new FakeEndpointFactory([]))]);

    private readonly MemoryFiles _files = new();

    [Fact]
    public void Objects_merge_member_by_member_and_the_NICs_own_value_wins()
    {
        var nics = Resolve("""
            {
              "defaults": {
                "nic": { "mtu": 9000, "link": "down", "restart": { "limit": 3, "windowSeconds": 60 } },
                "device": { "card": { "queues": 4, "names": ["a", "b"], "limits": { "flows": 7, "inner": [{ "flows": 1 }] } } },
                "endpoint": { "cable": { "queues": 2 } }
              },
              "vms": { "vm": { "nics": {
                "n0": { "device": { "kind": "card" }, "endpoint": { "kind": "cable" } },
                "n1": { "mtu": 1500, "link": "up", "restart": { "limit": 0 },
                        "device": { "kind": "card", "queues": 1, "names": ["c"], "limits": { "inner": [] } }, "endpoint": { "kind": "null" } } } } }
            }
            """)["vms"]!["vm"]!["nics"]!;
        Assert.Equal("""{"colour":null,"kind":"card","label":"","limits":{"flows":7,"inner":[{"flows":1,"inner":[]}]},"names":["a","b"],"queues":4,"socket":null}""", nics["n0"]!["device"]!.ToJsonString());
        Assert.Equal("""{"colour":null,"kind":"card","label":"","limits":{"flows":7,"inner":[]},"names":["c"],"queues":1,"socket":null}""", nics["n1"]!["device"]!.ToJsonString());
        Assert.Equal((9000, "down", 3, 60), ((int)nics["n0"]!["mtu"]!, (string)nics["n0"]!["link"]!, (int)nics["n0"]!["restart"]!["limit"]!, (int)nics["n0"]!["restart"]!["windowSeconds"]!));
        Assert.Equal((1500, "up", 0, 60), ((int)nics["n1"]!["mtu"]!, (string)nics["n1"]!["link"]!, (int)nics["n1"]!["restart"]!["limit"]!, (int)nics["n1"]!["restart"]!["windowSeconds"]!));
        Assert.Equal(2, (int)nics["n0"]!["endpoint"]!["queues"]!);
    }

    [Fact]
    public void Defaults_of_several_files_come_together()
    {
        _files["b.json"] = """{ "defaults": { "nic": { "mtu": 1400 }, "device": { "card": { "limits": { "flows": 7 } } } } }""";
        var nic = Resolve("""
            {
              "include": ["b.json"],
              "defaults": { "nic": { "mtu": 1400, "link": "down" }, "device": { "card": { "queues": 4 } } },
              "vms": { "vm": { "nics": { "n0": { "device": { "kind": "card" }, "endpoint": { "kind": "null" } } } } }
            }
            """)["vms"]!["vm"]!["nics"]!["n0"]!;
        Assert.Equal((1400, "down", 4, 7), ((int)nic["mtu"]!, (string)nic["link"]!, (int)nic["device"]!["queues"]!, (int)nic["device"]!["limits"]!["flows"]!));
    }

    [Fact]
    public void Relative_path_starts_from_the_folder_of_the_file_that_it_stands_in()
    {
        _files["base/b.json"] = """{ "defaults": { "device": { "card": { "socket": "run/x.sock" } } } }""";
        _files["vms/v.json"] = """{ "vms": { "vm": { "nics": { "n0": { "device": { "kind": "card" }, "endpoint": { "kind": "null" } } } } } }""";
        var model = Read("""{ "include": ["base", "vms"], "control": { "socket": "c.sock" } }""");
        var nic = model.Vms[0].Nics[0];
        Assert.Equal("../base/run/x.sock", nic.Device.Options.GetProperty("socket").GetString());
        Assert.Equal(Path.GetFullPath("vms"), nic.BaseDirectory);
        // In the canonical form it starts from the first file's.
        var resolved = TopologyResolver.Resolve(model);
        Assert.Equal("base/run/x.sock", (string?)resolved["vms"]!["vm"]!["nics"]!["n0"]!["device"]!["socket"]);
        Assert.Equal("c.sock", (string?)resolved["control"]!["socket"]);
        Assert.Equal(Path.GetFullPath("c.sock"), model.Settings.Control.Socket);
    }

    [Fact]
    public Task Fault_in_a_default_is_told_once_where_it_stands()
    {
        _files["b.json"] = """
            {
              "defaults": {
                "nic": { "mtu": 9001, "restart": { "limit": -1 }, "mac": "52:54:00:00:00:01" },
                "device": {
                  "card": { "kind": "card", "queues": 0, "names": ["a", ""], "limits": { "flow": 1, "inner": [{ "flows": "x" }] }, "socket": "/tmp/a.sock" },
                  "carb": {},
                  "card@1.0.0": {}
                },
                "endpoint": { "cable": { "queues": "two" }, "null": { "x": 1 }, "loopback": 3 }
              }
            }
            """;
        return Verifier.Verify(Faults("""
            {
              "include": ["b.json"],
              "vms": { "vm": { "nics": {
                "n0": { "device": { "kind": "card" }, "endpoint": { "kind": "cable" } },
                "n1": { "device": { "kind": "card" }, "endpoint": { "kind": "null" } },
                "n2": { "device": { "kind": "card", "queues": 17 }, "endpoint": { "kind": "loopback" } },
                "n3": { "mtu": 1500, "device": { "kind": "card", "queues": 1, "names": [], "limits": { "flow": 1, "inner": [] } }, "endpoint": { "kind": "cable", "queues": 1 } }
              } } }
            }
            """));
    }

    [Fact]
    public Task What_one_NIC_alone_can_have_is_no_default() => Verifier.Verify(Faults("""
        {
          "control": { "socket": "/tmp/c.sock" },
          "defaults": { "nic": { "mtu": 9001 }, "device": { "card": { "socket": "/tmp/a.sock" } } },
          "vms": { "vm": { "nics": {
            "n0": { "device": { "kind": "card" }, "endpoint": { "kind": "cable" } },
            "n1": { "device": { "kind": "card" }, "endpoint": { "kind": "cable" } },
            "n2": { "device": { "kind": "card", "socket": "/tmp/c.sock" }, "endpoint": { "kind": "null" } }
          } } }
        }
        """));

    [Fact]
    public void Variables_become_what_the_options_want()
    {
        var nic = Resolve("""
            {
              "unloadable": "${flag:DEV|false}",
              "vms": { "vm": { "nics": { "n0": { "mtu": "${number:MTU|1400}", "link": "${env:LINK|down}",
                "device": { "kind": "${env:KIND}", "queues": "${number:QUEUES}", "names": ["${env:USER_NAME}-0", "$${env:X}"] }, "endpoint": { "kind": "null" } } } } }
            }
            """, name => name switch { "KIND" => "card", "QUEUES" => "3", "USER_NAME" => "ann", _ => null })["vms"]!["vm"]!["nics"]!["n0"]!;
        Assert.Equal((1400, "down", "card", 3), ((int)nic["mtu"]!, (string)nic["link"]!, (string)nic["device"]!["kind"]!, (int)nic["device"]!["queues"]!));
        // The canonical form is a topology again, in which a plain ${ is written as here.
        Assert.Equal("""["ann-0","$${env:X}"]""", nic["device"]!["names"]!.ToJsonString());
    }

    [Theory]
    [InlineData("$${env:X}")]
    [InlineData("$$${x")]
    [InlineData("${env:BRACE}")]
    [InlineData("$ ${env:DOLLAR}{env:X}")]
    public void Text_that_looks_like_a_variable_is_itself_in_the_canonical_form(string written)
    {
        Func<string, string?> environment = name => name switch { "BRACE" => "${env:HOME} $${", "DOLLAR" => "$", _ => null };
        var text = $$"""{ "vms": { "vm": { "nics": { "n0": { "device": { "kind": "card", "names": ["{{written}}"] }, "endpoint": { "kind": "null" } } } } } }""";
        var once = Resolve(text, environment);
        Assert.Equal(once.ToJsonString(), Resolve(once.ToJsonString(), _ => null).ToJsonString());
        Assert.Equal(Names(Read(text, environment)), Names(Read(once.ToJsonString())));

        static string Names(TopologyModel model) => model.Vms[0].Nics[0].Device.Options.GetProperty("names")[0].GetString()!;
    }

    [Fact]
    public Task Variable_that_cannot_be_filled_in_is_told_and_nothing_follows_from_it() => Verifier.Verify(Faults("""
        {
          "plugins": ["${env:ROOT}/plugins"],
          "include": ["${env:MORE}"],
          "unloadable": "${env:DEV|true}",
          "control": { "mode": "${env:MODE}", "socket": "${HOME}/x" },
          "defaults": { "nic": { "mtu": "${number:MTU}" }, "device": { "card": { "queues": "${number:QUEUES|many}" } } },
          "vms": {
            "${env:VM}": { "nics": {} },
            "vm": { "nics": {
              "n0": { "mac": "${env:MAC}", "device": { "kind": "card", "socket": "${env:SOCKET" }, "endpoint": { "kind": "${env:KIND}" } },
              "n1": { "link": "${env:LINK|on}", "device": { "kind": "card", "names": ["${env:A}", "${ini:B}"] }, "endpoint": { "kind": "null" } },
              "n2": { "device": { "kind": "card", "queues": "${flag:F|true}", "socket": "${env:A}" }, "endpoint": { "kind": "cable", "queues": "1${number:N|1}" } },
              "n3": { "device": { "kind": "card", "socket": "${env:A}" }, "endpoint": { "kind": "cable" } }
            } }
          }
        }
        """));

    private TopologyModel Read(string text, Func<string, string?>? environment = null)
    {
        _files["a.json"] = text;
        return new TopologySource(["a.json"], _files, environment ?? (_ => null)).Read(Catalog);
    }

    private JsonObject Resolve(string text, Func<string, string?>? environment = null) => TopologyResolver.Resolve(Read(text, environment));

    private string Faults(string text) => Assert.Throws<TopologyException>(() => Read(text)).Message;
}
