using System.Text;
using NicHost.Consomme;
using NicHost.Fuzz.Engine;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;
using NicHost.NetVsp;
using NicHost.Virtio;

namespace NicHost.Fuzz.Targets;

/// <summary>
/// A topology of several files that include each other, with defaults and variables. What is understood has a canonical form that is a topology
/// again, and its own canonical form; what is refused is so with faults that name places in the files. In the input, a line <c>=== NAME</c> begins each file.
/// </summary>
internal sealed class TopologyFilesTarget : FuzzTarget
{
    private const string Folder = "/fuzz";
    private const string Separator = "=== ";

    private static readonly PluginCatalog s_catalog = PluginCatalog.Of([("virtio", new VirtioFactory()), ("netvsp", new NetVspFactory())], [("consomme", new ConsommeFactory())]);

    public override string Name => "topologyfiles";

    public override int MaxLength => 4096;

    public override IReadOnlyList<byte[]> Dictionary =>
    [
        .. new[]
        {
            "\n=== a.json\n", "\n=== sub/b.json\n", "\"include\"", "[\"sub\"]", "[\"sub/b.json\"]", "[\".\"]", "[\"..\"]", "[\"../a.json\"]", "[\"sub/../sub\"]", "\"defaults\"", "\"nic\"", "\"device\"", "\"endpoint\"",
            "\"virtio\"", "\"netvsp\"", "\"consomme\"", "\"vms\"", "\"nics\"", "\"kind\"", "\"socket\"", "\"restart\"", "\"firstDelaySeconds\"", "\"limits\"", "\"plugins\"", "\"control\"", "\"unloadable\"", "\"link\"", "\"down\"",
            "${env:TEXT}", "${env:TEXT|x}", "${env:NONE|}", "${env:NONE}", "${number:NUMBER}", "${number:TEXT}", "${number:NONE|7}", "${flag:FLAG}", "${env:SELF}", "${env:QUOTE}", "${env:PATH}", "$${", "${", "}", "|", "$", "null", "{}", "[]",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var files = Files.Parse(input);
        try
        {
            var model = new TopologySource([Folder + "/a.json"], files, Variable).Read(s_catalog);
            var once = JsonText.Page(TopologyResolver.Resolve(model));
            TopologyText.Render(TopologyResolver.Resolve(model));
            var resolved = new Files([new(model.BaseDirectory + "/resolved.json", Encoding.UTF8.GetBytes(once))]);
            var again = new TopologySource([model.BaseDirectory + "/resolved.json"], resolved, _ => null);
            Require(JsonText.Page(TopologyResolver.Resolve(again.Read(s_catalog))) == once, "The canonical form of a canonical form is another.");
        }
        catch (TopologyException e) when (!e.Faults.Any(fault => fault.File.EndsWith("resolved.json", StringComparison.Ordinal)))
        {
            Require(e.Faults.Count > 0, "Refused without a reason.");
            foreach (var fault in e.Faults)
                Require(fault is { File.Length: > 0, Line: > 0, Column: > 0, Message.Length: > 0, Remedy.Length: > 0, Path.Length: > 0 }, "A fault without file, place, message or remedy.");
        }
    }

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        yield return ("defaults", """
            === a.json
            { "include": ["sub/b.json"], "defaults": { "nic": { "mtu": 9000, "link": "down", "restart": { "limit": 3 } }, "device": { "virtio": { "socketMode": "0660" } },
              "endpoint": { "consomme": { "hostLoopback": true, "limits": { "tcpFlows": 5 } } } },
              "vms": { "a": { "nics": { "n": { "device": { "kind": "virtio", "socket": "a.sock" }, "endpoint": { "kind": "consomme" } } } } } }
            === sub/b.json
            { "defaults": { "device": { "netvsp": { "socket": "bus.sock" } } },
              "vms": { "b": { "nics": { "n": { "mtu": 1500, "device": { "kind": "netvsp" }, "endpoint": { "kind": "consomme", "limits": { "udpFlows": 7 } } } } } } }
            """u8.ToArray());
        yield return ("variables", """
            === a.json
            { "vms": { "a": { "nics": { "n": { "mtu": "${number:NUMBER}", "device": { "kind": "${env:NONE|virtio}", "socket": "${env:TEXT}/$${x}.sock" },
              "endpoint": { "kind": "consomme", "hostLoopback": "${flag:FLAG}", "hostname": "h-${env:TEXT}" } } } } } }
            """u8.ToArray());
        yield return ("folder", """
            === a.json
            { "include": ["sub", "."], "plugins": ["p"], "unloadable": false }
            === sub/b.json
            { "include": ["../sub"], "plugins": ["../p", "q"], "vms": { "b": { "nics": {} } } }
            === c.json
            { "vms": { "c": { "nics": { "n": { "device": { "kind": "virtio", "socket": "c" }, "endpoint": { "kind": "null" } } } } } }
            """u8.ToArray());
        yield return ("circle", """
            === a.json
            { "include": ["b.json"], "control": { "mode": "0660" }, "vms": {} }
            === b.json
            { "include": ["a.json"], "control": { "mode": "0600" }, "vms": { "v": {} }, "defaults": { "nic": { "mac": "52:54:00:00:00:01" }, "device": { "virtio": { "kind": "x", "queues": 0 } } } }
            """u8.ToArray());
    }

    private static string? Variable(string name) => name switch
    {
        "TEXT" => "text",
        "NUMBER" => "1400",
        "FLAG" => "true",
        "QUOTE" => "\"\\\n\u0001",
        "SELF" => "${env:SELF}",
        "EMPTY" => "",
        _ => null,
    };

    private sealed class Files(IEnumerable<KeyValuePair<string, byte[]>> files) : IFileStore
    {
        private readonly Dictionary<string, byte[]> _files = new(files, StringComparer.Ordinal);

        public static Files Parse(ReadOnlySpan<byte> input)
        {
            var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
            var name = "a.json";
            var rest = input;
            while (!rest.IsEmpty)
            {
                if (rest.StartsWith(Encoding.ASCII.GetBytes(Separator)))
                {
                    var line = Line(ref rest);
                    name = new string([.. Encoding.Latin1.GetString(line[Separator.Length..]).Where(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '/').Take(64)]);
                }
                var end = rest.IndexOf(Encoding.ASCII.GetBytes("\n" + Separator));
                files[Path.GetFullPath(Path.Combine(Folder, name.TrimStart('/')))] = rest[..(end < 0 ? rest.Length : end)].ToArray();
                rest = end < 0 ? [] : rest[(end + 1)..];
            }
            return new Files(files);
        }

        public bool IsFolder(string path) => _files.Keys.Any(file => file.StartsWith(path.TrimEnd('/') + "/", StringComparison.Ordinal));

        public IReadOnlyList<string> List(string folder) =>
            [.. _files.Keys.Where(file => Path.GetDirectoryName(file) == folder.TrimEnd('/')).Select(file => Path.GetFileName(file)).Where(file => file.EndsWith(".json", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

        public byte[] Read(string path) => _files.TryGetValue(path, out var text) ? text : throw new IOException("There is no such file.");

        public string Identity(string path) => path;

        private static ReadOnlySpan<byte> Line(ref ReadOnlySpan<byte> rest)
        {
            var end = rest.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            return line;
        }
    }
}
