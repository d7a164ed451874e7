using System.Text;
using NicHost.Consomme;
using NicHost.Fuzz.Engine;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;
using NicHost.Virtio;

namespace NicHost.Fuzz.Targets;

/// <summary>A topology file with both plugins' options: understood, or refused with faults that name places in it.</summary>
internal sealed class TopologyTarget : FuzzTarget
{
    private static readonly PluginCatalog s_catalog = PluginCatalog.Of([("virtio", new VirtioFactory())], [("consomme", new ConsommeFactory())]);

    public override string Name => "topology";

    public override int MaxLength => 4096;

    public override IReadOnlyList<byte[]> Dictionary =>
    [
        .. new[]
        {
            "\"vms\"", "\"nics\"", "\"device\"", "\"endpoint\"", "\"kind\"", "\"virtio\"", "\"consomme\"", "\"socket\"", "\"queues\"", "\"mac\"", "\"mtu\"", "\"subnet\"",
            "\"ipv6Prefix\"", "\"forwards\"", "\"tcp:1..2-3..4\"", "\"udp:[::1]:53-53\"", "\"dns\"", "\"records\"", "\"limits\"", "null", "true", "[]", "{}", "\\ud800", "\\u0000",
            "/*", "*/", "//", "\n", "1e400", "-1", "99999999999999999999", ",", ":", "{", "}", "[", "]", "\xff", "\xef\xbb\xbf",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            TopologyText.Render(TopologyResolver.Resolve(new TopologySource(["fuzz.json"], new OneFile(input.ToArray())).Read(s_catalog)));
        }
        catch (TopologyException e)
        {
            Require(e.Faults.Count > 0, "Refused without a reason.");
            foreach (var fault in e.Faults)
                Require(fault is { Line: > 0, Column: > 0, Message.Length: > 0, Remedy.Length: > 0, Path.Length: > 0 }, "A fault without place, message or remedy.");
        }
    }

    private sealed class OneFile(byte[] text) : IFileStore
    {
        public bool IsFolder(string path) => false;

        public IReadOnlyList<string> List(string folder) => [];

        public byte[] Read(string path) => text;

        public string Identity(string path) => path;
    }

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        yield return ("smallest", """
            {"vms":{"web":{"nics":{"eth0":{"mac":"52:54:00:12:34:56","mtu":1500,"device":{"kind":"virtio","socket":"/tmp/a.sock","queues":1},
             "endpoint":{"kind":"consomme","hostLoopback":true,"forwards":["tcp:127.0.0.1:2222-22","udp:[::1]:5353-53"]}}}}}}
            """u8.ToArray());
        yield return ("options", """
            { "plugins": ["x"], // a comment
              "vms": { "a": { "nics": { "n0": { "device": { "kind": "virtio", "socket": "s", "mode": "client", "socketMode": "0660", "inBandNotifications": true, },
               "endpoint": { "kind": "consomme", "subnet": "192.168.7.0/29", "ipv6": false, "ipv6Prefix": "fd12::/64", "hostname": "h",
               "forwards": ["tcp:8000..8010-80..90", "udp:53-10.0.2.15:53"],
               "dns": { "servers": ["127.0.0.1:53", "[::1]:53"], "records": [{ "name": "a.b", "type": "AAAA", "value": "::1", "ttl": 5 }], "search": ["x.y"], "domain": "d.e" },
               "limits": { "tcpFlows": 1, "udpIdleSeconds": 1 } } } } } } }
            """u8.ToArray());
        yield return ("faults", """{"vms":{"a":{"nics":{"b":{"mac":"1","mtu":1,"device":{"kind":"virtoi"},"endpoint":{"kind":"consomme","subnet":"10.0.0.0/31","x":1}},"b":1}}}}"""u8.ToArray());
        yield return ("loopback", """{"vms":{"a":{"nics":{"b":{"device":{"kind":"virtio","socket":"s"},"endpoint":{"kind":"loopback"}}}}}}"""u8.ToArray());
    }
}
