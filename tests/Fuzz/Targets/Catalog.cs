using NicHost.Fuzz.Engine;
using NicHost.Fuzz.Targets.NetVsp;

namespace NicHost.Fuzz.Targets;

/// <summary>All targets by name.</summary>
internal static class Catalog
{
    private static readonly Dictionary<string, Func<FuzzTarget>> s_targets = new()
    {
        ["ethernet"] = () => new WireTarget("ethernet", WireReads.Ethernet, [0x81, 0], [8, 0], [0x86, 0xdd]),
        ["arp"] = () => new WireTarget("arp", WireReads.Arp),
        ["ipv4"] = () => new WireTarget("ipv4", WireReads.Ipv4, [0x45], [0x4f], [0x20, 0]),
        ["ipv6"] = () => new WireTarget("ipv6", WireReads.Ipv6, [0], [43], [44], [60], [51], [59]),
        ["tcp"] = () => new WireTarget("tcp", WireReads.Tcp),
        ["tcpoptions"] = () => new WireTarget("tcpoptions", WireReads.TcpOption, [2, 4], [3, 3], [4, 2], [5, 10], [5, 34], [8, 10]),
        ["udp"] = () => new WireTarget("udp", WireReads.Udp),
        ["icmp"] = () => new WireTarget("icmp", WireReads.Icmp),
        ["ndp"] = () => new WireTarget("ndp", WireReads.Ndp, [1, 1], [3, 4], [5, 1], [25, 3], [31, 2]),
        ["dhcp4"] = () => new WireTarget("dhcp4", WireReads.Dhcp4, [0x63, 0x82, 0x53, 0x63], [52, 1, 3], [53, 1, 1], [255], [0]),
        ["dhcp6"] = () => new WireTarget("dhcp6", WireReads.Dhcp6, [0, 3, 0, 12], [0, 5, 0, 24], [0, 6, 0, 2]),
        ["vhost"] = () => new VhostTarget(),
        ["ring"] = () => new RingTarget(),
        ["vmbus"] = () => new VmbusTarget(),
        ["netvsc"] = () => new NetvscTarget(),
        ["vmbusmessage"] = () => new VmbusMessageTarget(),
        ["vmbusring"] = () => new VmbusRingTarget(),
        ["nvsp"] = () => new NvspTarget(),
        ["rndis"] = () => new RndisPacketTarget(),
        ["consomme"] = () => new ConsommeTarget(),
        ["resolvconf"] = () => new ResolvConfTarget(),
        ["topology"] = () => new TopologyTarget(),
        ["topologyfiles"] = () => new TopologyFilesTarget(),
        ["dns"] = () => new WireTarget("dns", WireReads.Dns, [0xc0, 12], [0xc0, 0], [0, 0, 41], [63], [64]),
    };

    // Random frames of these lead to sockets.
    private static readonly HashSet<string> s_isolated = ["consomme"];

    public static IReadOnlyCollection<string> Names => s_targets.Keys;

    public static FuzzTarget Make(string name) =>
        s_targets.TryGetValue(name, out var make) ? make() : throw new ArgumentException($"There is no target {name}: {string.Join(", ", Names)}.");

    public static bool NeedsIsolation(string name) => s_isolated.Contains(name);

    /// <summary>The committed inputs of a target.</summary>
    public static IEnumerable<byte[]> Corpus(string name)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Corpus", name);
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Order().Select(File.ReadAllBytes) : [];
    }
}
