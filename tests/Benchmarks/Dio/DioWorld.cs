using System.Diagnostics;
using System.Net;
using NicHost.Benchmarks.Bulk;
using NicHost.Linux;
using NicHost.Probe.Stack;

namespace NicHost.Benchmarks.Dio;

/// <summary>
/// A bridge in a namespace of its own, and who is on it:
/// <code>
/// br0 10.88.0.1 --- veth --- sink 10.88.0.2      the far end of every measurement
///               --- veth --- client 10.88.0.3    the kernel alone
///               --- TAP  --- guest 10.88.0.4     through Dio
/// </code>
/// The guest on Consomme comes from the bridge's own address.
/// </summary>
internal sealed class DioWorld : IDisposable
{
    public static readonly IPAddress SinkAddress = IPAddress.Parse("10.88.0.2");
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-dio-bench-").FullName;
    private readonly List<BenchNamespace> _namespaces = [];
    private readonly Process _host;

    public DioWorld()
    {
        try
        {
            var (hub, sink) = (Add("hub"), Add("sink"));
            Client = Add("client");
            BenchNamespace.Ip($"-n {hub.Name} link add br0 type bridge");
            BenchNamespace.Ip($"-n {hub.Name} address add 10.88.0.1/24 dev br0");
            BenchNamespace.Ip($"-n {hub.Name} link set br0 up");
            Plug(hub, sink, "10.88.0.2/24");
            Plug(hub, Client, "10.88.0.3/24");
            Server = sink.Inside(() => new BulkServer(SinkAddress));
            _host = StartHost(hub);
        }
        catch
        {
            Clear();
            throw;
        }
    }

    /// <summary>The guest's address on the bridge, and the sink's.</summary>
    public static (Ip Own, Ip Peer) GuestLink => (Ip.Parse("10.88.0.4"), Ip.Parse("10.88.0.2"));

    /// <summary>What the guest on Consomme calls: the sink itself, through the NAT's router.</summary>
    public static Ip Sink => Ip.Parse("10.88.0.2");

    public BenchNamespace Client { get; }

    public BulkServer Server { get; }

    public int HostId => _host.Id;

    /// <summary>Processor time that the host has used.</summary>
    public TimeSpan Used
    {
        get
        {
            _host.Refresh();
            return _host.TotalProcessorTime;
        }
    }

    public string Socket(string nic) => Path.Combine(_folder, $"{nic}.sock");

    public void Dispose()
    {
        _host.Kill();
        _host.WaitForExit();
        _host.Dispose();
        Server.Dispose();
        Clear();
    }

    private static void Plug(BenchNamespace hub, BenchNamespace station, string address)
    {
        var port = $"p-{station.Name.Split('-')[^1]}";
        BenchNamespace.Ip($"-n {hub.Name} link add {port} type veth peer name eth0 netns {station.Name}");
        BenchNamespace.Ip($"-n {hub.Name} link set {port} master br0 up");
        BenchNamespace.Ip($"-n {station.Name} address add {address} dev eth0");
        BenchNamespace.Ip($"-n {station.Name} link set eth0 up");
    }

    private BenchNamespace Add(string name)
    {
        var made = new BenchNamespace($"nhbench-{Environment.ProcessId}-{name}");
        _namespaces.Add(made);
        return made;
    }

    private void Clear()
    {
        foreach (var each in _namespaces) each.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Process StartHost(BenchNamespace hub)
    {
        var topology = Path.Combine(_folder, "plugins.json");
        File.WriteAllText(topology, $$"""
            { "vms": { "bench": { "nics": {
                "dio": { "device": { "kind": "virtio", "socket": "{{Socket("dio")}}", "queues": 1 },
                         "endpoint": { "kind": "dio", "switch": { "name": "br0" }, "nic": { "name": "tap0", "create": true } } },
                "nat": { "device": { "kind": "virtio", "socket": "{{Socket("nat")}}", "queues": 1 }, "endpoint": { "kind": "consomme" } }
            } } } }
            """);
        var start = new ProcessStartInfo("ip",
        [
            "netns", "exec", hub.Name, "dotnet", Built.Host, "run", topology,
            "--plugins", Built.Plugins, "--log-level", "warning", "--control", Path.Combine(_folder, "control.sock"),
        ])
        { RedirectStandardOutput = true };
        start.Environment["RUNTIME_DIRECTORY"] = _folder;
        start.Environment["DOTNET_PerfMapEnabled"] = Environment.GetEnvironmentVariable("DOTNET_PerfMapEnabled") ?? "0";
        var host = Process.Start(start)!;
        host.OutputDataReceived += (_, _) => { };
        host.BeginOutputReadLine();
        var begin = Stopwatch.GetTimestamp();
        while (!File.Exists(Socket("dio")) || !File.Exists(Socket("nat")))
        {
            if (host.HasExited) throw new InvalidOperationException($"The host ended with code {host.ExitCode}.");
            if (Stopwatch.GetElapsedTime(begin) > TimeSpan.FromSeconds(20)) throw new TimeoutException("The host made no sockets within 20 s.");
            using var pause = new EventFd();
            Io.Poll(pause.Raw, PollEvents.In, 20);
        }
        return host;
    }
}
