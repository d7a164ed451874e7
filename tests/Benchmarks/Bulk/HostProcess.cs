using System.Diagnostics;
using NicHost.Linux;

namespace NicHost.Benchmarks.Bulk;

/// <summary>A host of our own build, serving the NICs that the measurements need.</summary>
internal sealed class HostProcess : IDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    public HostProcess()
    {
        _folder = Directory.CreateTempSubdirectory("nichost-bulk-").FullName;
        var topology = Path.Combine(_folder, "plugins.json");
        File.WriteAllText(topology, $$"""
            { "vms": { "bulk": { "nics": {
                "small": { "mtu": 1500, "device": { "kind": "virtio", "socket": "{{Socket("1500")}}", "queues": 1 },
                           "endpoint": { "kind": "consomme", "hostLoopback": true } },
                "large": { "mtu": 65520, "device": { "kind": "virtio", "socket": "{{Socket("65520")}}", "queues": 1 },
                           "endpoint": { "kind": "consomme", "hostLoopback": true } },
                "null": { "device": { "kind": "virtio", "socket": "{{Socket("null")}}", "queues": 1 }, "endpoint": { "kind": "null" } },
                "loopback": { "device": { "kind": "virtio", "socket": "{{Socket("loopback")}}", "queues": 1 }, "endpoint": { "kind": "loopback" } }
            } } } }
            """);
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

    public string Socket(string nic) => Path.Combine(_folder, $"{nic}.sock");

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
        while (!File.Exists(Socket("1500")) || !File.Exists(Socket("65520")) || !File.Exists(Socket("loopback")))
        {
            if (_process.HasExited) throw new InvalidOperationException($"The host ended with code {_process.ExitCode}.");
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(20)) throw new TimeoutException("The host made no sockets within 20 s.");
            using var pause = new EventFd();
            Io.Poll(pause.Raw, PollEvents.In, 20);
        }
    }
}
