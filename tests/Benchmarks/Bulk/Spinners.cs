using System.Diagnostics;
using NicHost.Linux;

namespace NicHost.Benchmarks.Bulk;

/// <summary>
/// Keeps the cores awake: waking a halted core of a small virtual machine takes tens of microseconds, which would be all that is measured.
/// One idle-priority process per core; processes, because a collector must not wait for an idle thread.
/// </summary>
internal sealed class Spinners : IDisposable
{
    private readonly List<Process> _processes = [];

    public Spinners(int count)
    {
        for (var i = 0; i < count; i++) _processes.Add(Process.Start(Environment.ProcessPath!, [.. DllArgument(), "spin"]));
    }

    public static int SpinForEver()
    {
        ThisProcess.SetIdlePriority(true);
        var deadline = Stopwatch.GetTimestamp() + (Stopwatch.Frequency * 3600);
        while (Stopwatch.GetTimestamp() < deadline) Thread.SpinWait(1000);
        return 0;
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }

    // Started as "dotnet Benchmarks.dll" the process path is dotnet itself.
    private static IEnumerable<string> DllArgument() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(Spinners).Assembly.Location] : [];
}
