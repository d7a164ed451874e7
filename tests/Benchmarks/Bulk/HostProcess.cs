using System.Diagnostics;
using NicHost.Linux;

namespace NicHost.Benchmarks.Bulk;

/// <summary>A host of our own build, serving the NICs that the measurements need.</summary>
internal sealed class HostProcess : IDisposable
{
    private const string Nat = """{ "kind": "consomme", "hostLoopback": true }""";

    private static readonly (string Name, int Mtu, string Endpoint)[] s_nics =
    [
        ("1500", 1500, Nat), ("65520", 65520, Nat), ("null", 1500, """{ "kind": "null" }"""), ("loopback", 1500, """{ "kind": "loopback" }"""),
    ];

    private readonly Process _process;
    private readonly string _folder;

    public HostProcess()
    {
        _folder = Directory.CreateTempSubdirectory("nichost-bulk-").FullName;
        var topology = Path.Combine(_folder, "plugins.json");
        var nics = Devices.SelectMany(device => s_nics.Select(nic => $$"""
            "{{device}}-{{nic.Name}}": { "mtu": {{nic.Mtu}}, "device": { "kind": "{{device}}", "socket": "{{Socket(device, nic.Name)}}", "queues": 1 }, "endpoint": {{nic.Endpoint}} }
            """));
        File.WriteAllText(topology, $$"""{ "vms": { "bulk": { "nics": { {{string.Join(",\n", nics)}} } } } }""");
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                Built.Host, "run", topology, "--plugins", Built.Plugins, "--log-level", "warning",
                "--control", Path.Combine(_folder, "control.sock"),
            },
            RedirectStandardOutput = true,
        };
        start.Environment["DOTNET_PerfMapEnabled"] = Environment.GetEnvironmentVariable("DOTNET_PerfMapEnabled") ?? "0";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        WaitForSockets();
    }

    /// <summary>Kinds of devices that there is a set of NICs of.</summary>
    public static string[] Devices { get; } = ["virtio", "netvsp"];

    public int Id => _process.Id;

    /// <summary>Processor time that the host has used.</summary>
    public TimeSpan Used
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public string Socket(string device, string nic) => Path.Combine(_folder, $"{device}-{nic}.sock");

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void WaitForSockets()
    {
        var start = Stopwatch.GetTimestamp();
        while (!Devices.All(device => s_nics.All(nic => File.Exists(Socket(device, nic.Name)))))
        {
            if (_process.HasExited) throw new InvalidOperationException($"The host ended with code {_process.ExitCode}.");
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(20)) throw new TimeoutException("The host made no sockets within 20 s.");
            using var pause = new EventFd();
            Io.Poll(pause.Raw, PollEvents.In, 20);
        }
    }
}
