using NicHost.Host.Commands;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;
using VerifyXunit;

namespace NicHost.Host.Tests.Topology;

/// <summary>What <c>nichost check</c> says with the plugins that ship: a text for each family of faults.</summary>
public sealed class FaultTests
{
    private const string Device = """ "device": { "kind": "virtio", "socket": "a.sock" } """;
    private const string Endpoint = """ "endpoint": { "kind": "null" } """;

    private static readonly Lazy<PluginCatalog> Catalog = new(() => PluginCatalog.Load([PluginRoots.Default]));

    private static readonly SortedDictionary<string, (string Name, string Text)[]> Families = new(StringComparer.Ordinal)
    {
        ["address-derived-twice"] = One(Nics(("b", Sound("b")), ("c", $""" "mac": "{Derived("b")}", {Sound("c")} """))),
        ["address-of-a-group"] = One(Nic($""" "mac": "53:54:00:12:34:56", {Device}, {Endpoint} """)),
        ["address-that-is-none"] = One(Nic($""" "mac": "52:54:00:12:34", {Device}, {Endpoint} """)),
        ["address-twice"] = One(Nics(("b", """ "mac": "52:54:00:00:00:01", """ + Sound("b")), ("c", """ "mac": "52-54-00-00-00-01", """ + Sound("c")))),
        ["address-zero"] = One(Nic($""" "mac": "00:00:00:00:00:00", {Device}, {Endpoint} """)),
        ["defaults-that-differ"] = [("a.json", """{ "include": ["b.json"], "defaults": { "nic": { "mtu": 1400 } }, "vms": {} }"""), ("b.json", """{ "defaults": { "nic": { "mtu": 9000 } } }""")],
        ["defaults-wrong"] = One("""{ "defaults": { "nic": { "mac": "52:54:00:00:00:01" }, "device": { "virtoi": {}, "virtio": { "queues": 0 } } }, "vms": {} }"""),
        ["file-missing"] = [("a.json", """{ "include": ["vms/b.json"], "vms": {} }""")],
        ["include-loop"] = [("a.json", """{ "include": ["b.json"], "vms": {} }"""), ("b.json", """{ "include": ["c.json"] }"""), ("c.json", """{ "include": ["a.json"] }""")],
        ["json-bad"] = One("{\n  \"vms\": {}\n  \"plugins\": []\n}"),
        ["json-cut-off"] = One("{ \"vms\": {"),
        ["kind-as-the-other-half"] = One(Nic(""" "device": { "kind": "consomme" }, "endpoint": { "kind": "virtio" } """)),
        ["kind-missing"] = One(Nic(""" "device": { "socket": "a.sock" }, "endpoint": {} """)),
        ["kind-unknown"] = One(Nic($""" {Device}, "endpoint": {"{"} "kind": "consome" {"}"} """)),
        ["link-and-restart"] = One(Nic($""" "link": "Down", "restart": {"{"} "limit": -1, "firstDelaySeconds": 9, "longestDelaySeconds": 2 {"}"}, {Device}, {Endpoint} """)),
        ["member-missing"] = One(Nic(""" "device": { "kind": "virtio" } """)),
        ["member-unknown"] = One(Nic($""" "mtuu": 1500, "device": {"{"} "kind": "virtio", "socket": "a.sock", "queus": 1, "colour": "green" {"}"}, {Endpoint} """)),
        ["name-of-a-NIC-twice"] = One(Nics(("b", Sound("b")), ("b", Sound("c")))),
        ["name-of-a-VM-in-two-files"] = [("a.json", """{ "include": ["b.json"], "vms": { "web": { "nics": {} } } }"""), ("b.json", """{ "vms": { "web": { "nics": {} } } }""")],
        ["name-of-a-VM-twice"] = One("""{ "vms": { "web": { "nics": {} }, "web": { "nics": {} } } }"""),
        ["name-that-is-none"] = One("""{ "vms": { "Web 1": { "nics": { "": {} } } } }"""),
        ["no-VMs"] = One("{}"),
        ["option-of-a-plugin"] = One(Nic($$""" {{Device}}, "endpoint": { "kind": "consomme", "subnet": "10.0.0.0/31", "forwards": ["tcp:22"], "dns": { "servers": ["dns.example"] } } """)),
        ["out-of-range"] = One(Nic($""" "mtu": 67, "device": {"{"} "kind": "virtio", "socket": "a.sock", "queues": 0 {"}"}, {Endpoint} """)),
        ["settings-of-the-host"] = One("""{ "unloadable": "yes", "control": { "socket": "", "mode": "rw", "port": 1 }, "vms": {} }"""),
        ["socket-of-the-host"] = One("""{ "control": { "socket": "/tmp/a.sock" }, "vms": { "a": { "nics": { "b": { "device": { "kind": "virtio", "socket": "/tmp/a.sock" }, "endpoint": { "kind": "null" } } } } } }"""),
        ["socket-too-long"] = One(Nic($$""" "device": { "kind": "virtio", "socket": "/{{new string('x', 120)}}" }, {{Endpoint}} """)),
        ["socket-twice"] = One(Nics(("b", $""" {Abs("x.sock")}, {Endpoint} """), ("c", $""" {Abs("../tmp/x.sock")}, {Endpoint} """))),
        ["type-wrong"] = One(Nic(""" "mtu": "1500", "device": { "kind": "virtio", "socket": 3, "queues": "two" }, "endpoint": [] """)),
        ["variable-broken"] = One(Nic($$""" "device": { "kind": "virtio", "socket": "${env:HOME", "queues": "${count:N}" }, {{Endpoint}} """)),
        ["variable-missing"] = One(Nic($$""" "device": { "kind": "virtio", "socket": "${env:NICHOST_NONE}/a.sock", "queues": "${number:NICHOST_NONE}" }, {{Endpoint}} """)),
        ["version-missing"] = One(Nic($$""" "device": { "kind": "virtio@9.9.9", "socket": "a.sock" }, {{Endpoint}} """)),
    };

    public static TheoryData<string> Names => [.. Families.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public Task Check_says(string family)
    {
        var files = new MemoryFiles();
        foreach (var (name, text) in Families[family]) files[name] = text;
        var source = new TopologySource([Families[family][0].Name], files, _ => null);
        var faults = Assert.Throws<TopologyException>(() => source.Read(Catalog.Value)).Faults;
        return Verifier.Verify(CheckCommand.Text(faults)).UseDirectory("Faults").UseTextForParameters(family);
    }

    private static (string, string)[] One(string text) => [("a.json", text)];

    private static string Nic(string members) => Nics(("b", members));

    private static string Nics(params (string Name, string Members)[] nics) =>
        $$"""{ "vms": { "a": { "nics": { {{string.Join(", ", nics.Select(nic => $$"""{{"\n"}}  "{{nic.Name}}": { {{nic.Members.Trim()}} }"""))}} } } } }""";

    private static string Sound(string name) => $$""" "device": { "kind": "virtio", "socket": "{{name}}.sock" }, {{Endpoint}} """;

    private static string Abs(string name) => $$""" "device": { "kind": "virtio", "socket": "/tmp/{{name}}" } """.Trim();

    private static string Derived(string nic) => Contracts.Nics.MacAddress.Derive(new Contracts.Nics.NicIdentity("a", nic)).ToString();
}
