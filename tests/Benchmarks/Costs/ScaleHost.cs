using System.Diagnostics;
using System.Text;
using NicHost.Host.Control;
using NicHost.Linux;

namespace NicHost.Benchmarks.Costs;

/// <summary>A host process that is started, left alone, changed once and stopped.</summary>
internal sealed class ScaleHost : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-scale-").FullName;
    private readonly (string Device, string Endpoint) _kinds;
    private readonly Process _process;

    private ScaleHost(string device, string endpoint, int vms)
    {
        _kinds = (device, endpoint);
        Write(vms);
        var start = new ProcessStartInfo("dotnet", [Built.Host, "run", Topology, "--plugins", Built.Plugins, "--log-level", "warning", "--control", Control, "--no-watch"]) { RedirectStandardOutput = true };
        _process = Process.Start(start)!;
    }

    private string Topology => Path.Combine(_folder, "topology.json");

    private string Control => Path.Combine(_folder, "c");

    public static ScaleResult Measure(string device, string endpoint, int vms, TimeSpan idle)
    {
        var started = Stopwatch.GetTimestamp();
        using var host = new ScaleHost(device, endpoint, vms);
        host.WaitUntilReady(vms);
        var start = Since(started);
        var startCpu = host.Cpu;

        // What is done once, after the start, is not what idling costs.
        Pause(TimeSpan.FromSeconds(1));
        var (before, from) = (host.Cpu, Stopwatch.GetTimestamp());
        Pause(idle);
        var idleCpu = (host.Cpu - before) / Since(from);
        var (memory, files) = (host._process.WorkingSet64 / 1024.0, Directory.GetFiles($"/proc/{host._process.Id}/fd").Length);

        var inspect = host.Ask("inspect json");
        host.Write(vms + 1);
        var oneMore = host.Ask("apply text");

        started = Stopwatch.GetTimestamp();
        using (var kill = Process.Start("kill", ["-TERM", $"{host._process.Id}"])) kill.WaitForExit();
        host._process.StandardOutput.ReadToEnd();
        host._process.WaitForExit();
        if (host._process.ExitCode != 0) throw new InvalidOperationException($"The host ended with code {host._process.ExitCode}.");
        return new ScaleResult(start, startCpu, idleCpu, memory, files, oneMore, inspect, Since(started));
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private double Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime.TotalSeconds;
        }
    }

    private void WaitUntilReady(int vms)
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            if (!line.StartsWith("ready: ", StringComparison.Ordinal)) continue;
            if (line != $"ready: {vms} of {vms} NICs") throw new InvalidOperationException(line);
            return;
        }
        throw new InvalidOperationException("The host ended before it was ready.");
    }

    private double Ask(string request)
    {
        var started = Stopwatch.GetTimestamp();
        var answer = ControlClient.AskAsync(Control, request, CancellationToken.None).GetAwaiter().GetResult();
        if (request.StartsWith("apply", StringComparison.Ordinal) && !answer.StartsWith("done", StringComparison.Ordinal)) throw new InvalidOperationException(answer);
        return Since(started);
    }

    private void Write(int vms)
    {
        var text = new StringBuilder("{ \"vms\": {");
        for (var i = 0; i < vms; i++)
        {
            text.Append(i == 0 ? "" : ",").Append($$"""
                 "vm{{i:00000}}": { "nics": { "eth0": { "device": { "kind": "{{_kinds.Device}}", "socket": "{{i}}.sock" }, "endpoint": { "kind": "{{_kinds.Endpoint}}" } } } }
                """);
        }
        File.WriteAllText(Topology, text.Append(" } }").ToString());
    }

    private static double Since(long started) => Stopwatch.GetElapsedTime(started).TotalSeconds;

    private static void Pause(TimeSpan time)
    {
        using var pause = new EventFd();
        Io.Poll(pause.Raw, PollEvents.In, (int)time.TotalMilliseconds);
    }
}
