namespace Samples.Switch.Fabric;

/// <summary>
/// The networks of this process, by switch and VLAN: the only state that ports of different NICs share. A plugin's statics belong to its
/// load context, so that two versions of this plugin that run side by side have networks of their own.
/// </summary>
internal static class Lans
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<(string, int?), (Lan Lan, int Ports)> Present = [];

    /// <summary>The network, made by the first that asks; <see cref="Release"/> gives it back.</summary>
    public static Lan Take(string name, int? vlan)
    {
        lock (Gate)
        {
            var (lan, ports) = Present.TryGetValue((name, vlan), out var present) ? present : (new Lan(name, vlan), 0);
            Present[(name, vlan)] = (lan, ports + 1);
            return lan;
        }
    }

    public static void Release(Lan lan)
    {
        lock (Gate)
        {
            var key = (lan.Name, lan.Vlan);
            var (_, ports) = Present[key];
            if (ports == 1) Present.Remove(key);
            else Present[key] = (lan, ports - 1);
        }
    }
}
