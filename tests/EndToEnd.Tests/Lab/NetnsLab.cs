using System.Globalization;
using System.Net;

namespace NicHost.EndToEnd.Tests.Lab;

/// <summary>
/// The world around the host under test, in three namespaces from which nothing gets out:
/// <code>
/// host  10.99.0.2, fd99::2 --- router 10.99.0.1 | 10.98.0.1 --- server 10.98.0.2, fd98::2 (DNS: 10.98.0.53, .54)
///                                               | 10.97.0.1 --- server 10.97.0.2, fd97::2 (path MTU 1300)
/// </code>
/// </summary>
internal sealed class NetnsLab : IHostWorld, IDisposable
{
    public static readonly IPAddress HostAddress = IPAddress.Parse("10.99.0.2");
    public static readonly IPAddress HostAddress6 = IPAddress.Parse("fd99::2");
    public static readonly IPAddress RouterAddress = IPAddress.Parse("10.99.0.1");
    public static readonly IPAddress ServerAddress = IPAddress.Parse("10.98.0.2");
    public static readonly IPAddress ServerAddress6 = IPAddress.Parse("fd98::2");
    public static readonly IPAddress DnsAddress = IPAddress.Parse("10.98.0.53");
    public static readonly IPAddress OtherDnsAddress = IPAddress.Parse("10.98.0.54");
    public static readonly IPAddress NobodysAddress = IPAddress.Parse("10.98.0.99");
    public const string SearchDomain = "lab.test";
    public const int NarrowMtu = 1300;

    private static int s_count;
    private readonly List<Action> _undo = [];

    public NetnsLab()
    {
        var prefix = NewPrefix();
        Folder = Directory.CreateTempSubdirectory("nichost-lab-").FullName;
        _undo.Add(() => Directory.Delete(Folder, recursive: true));
        try
        {
            Host = Add($"{prefix}-host");
            Router = Add($"{prefix}-router");
            Server = Add($"{prefix}-server");
            SetUp();
            Services = new LabServices(this);
            _undo.Add(Services.Dispose);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Netns Host { get; }

    public Netns Router { get; }

    public Netns Server { get; }

    public LabServices Services { get; }

    /// <summary>Sockets, logs and configurations of this lab; removed at its end.</summary>
    public string Folder { get; }

    /// <summary>What processes started by <c>ip netns exec</c> in <see cref="Host"/> see as /etc/resolv.conf.</summary>
    public string ResolvConf => $"/etc/netns/{Host.Name}/resolv.conf";

    /// <summary>Rewrites the host's resolver configuration in place, as a DHCP client on it would.</summary>
    public void SetNameServers(params IPAddress[] servers) =>
        File.WriteAllText(ResolvConf, $"search {SearchDomain}\n{string.Concat(servers.Select(s => $"nameserver {s}\n"))}");

    /// <summary>A name that namespaces of a lab begin with, after what killed test runs left was removed.</summary>
    internal static string NewPrefix()
    {
        RemoveStale();
        return $"nichost-{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}";
    }

    /// <summary>Ends what test runs that were killed left behind: their namespaces and the processes in them.</summary>
    private static void RemoveStale()
    {
        foreach (var name in Shell.Run("ip", "netns", "list").Split('\n').Select(l => l.Split(' ')[0]))
        {
            if (!name.StartsWith("nichost-", StringComparison.Ordinal) || Directory.Exists($"/proc/{name.Split('-')[1]}"))
                continue;
            foreach (var process in Shell.Run("ip", "netns", "pids", name).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                Native.Signal(int.Parse(process, CultureInfo.InvariantCulture), Native.SigKill);
            Shell.Run("ip", "netns", "del", name);
            if (Directory.Exists($"/etc/netns/{name}"))
                Directory.Delete($"/etc/netns/{name}", recursive: true);
        }
    }

    private Netns Add(string name)
    {
        var made = new Netns(name);
        _undo.Add(made.Dispose);
        return made;
    }

    private void SetUp()
    {
        Host.Ip($"link add d0 type veth peer name h0 netns {Router.Name}");
        Router.Ip($"link add s0 type veth peer name d0 netns {Server.Name}");
        Router.Ip($"link add s1 type veth peer name d1 netns {Server.Name}");
        Configure(Host, "d0", ["10.99.0.2/24", "fd99::2/64"]);
        Configure(Router, "h0", ["10.99.0.1/24", "fd99::1/64"]);
        Configure(Router, "s0", ["10.98.0.1/24", "fd98::1/64"]);
        Configure(Router, "s1", ["10.97.0.1/24", "fd97::1/64"], NarrowMtu);
        Configure(Server, "d0", ["10.98.0.2/24", "10.98.0.53/24", "10.98.0.54/24", "fd98::2/64"]);
        Configure(Server, "d1", ["10.97.0.2/24", "fd97::2/64"], NarrowMtu);
        Host.Ip("route add default via 10.99.0.1");
        Host.Ip("-6 route add default via fd99::1");
        Server.Ip("route add default via 10.98.0.1");
        Server.Ip("-6 route add default via fd98::1");
        Router.Sysctl("net.ipv4.ip_forward", "1");
        Router.Sysctl("net.ipv6.conf.all.forwarding", "1");
        // Traceroute asks faster than the default limit of ICMP errors answers.
        Router.Sysctl("net.ipv4.icmp_ratelimit", "0");
        Router.Sysctl("net.ipv6.icmp.ratelimit", "0");
        Server.Sysctl("net.ipv4.icmp_ratelimit", "0");
        Server.Sysctl("net.ipv6.icmp.ratelimit", "0");
        Host.Sysctl("net.ipv4.ping_group_range", "0 2147483647");

        Directory.CreateDirectory(Path.GetDirectoryName(ResolvConf)!);
        _undo.Add(() => Directory.Delete(Path.GetDirectoryName(ResolvConf)!, recursive: true));
        SetNameServers(DnsAddress);
    }

    private static void Configure(Netns where, string nic, string[] addresses, int mtu = 1500)
    {
        where.Ip($"link set {nic} up mtu {mtu}");
        foreach (var address in addresses)
            where.Ip($"addr add {address} dev {nic}{(address.Contains(':', StringComparison.Ordinal) ? " nodad" : "")}");
    }

    public void Dispose()
    {
        for (var i = _undo.Count - 1; i >= 0; i--)
        {
            try
            {
                _undo[i]();
            }
            catch (Exception e) when (e is InvalidOperationException or IOException or TimeoutException)
            {
                Console.Error.WriteLine($"lab clean-up: {e.Message}");
            }
        }

        _undo.Clear();
    }
}
