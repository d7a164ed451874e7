using System.Diagnostics;

namespace NicHost.GuestBench;

/// <summary>
/// One idle-priority spinner per core. On small virtual machines a halted core takes tens of microseconds to wake, which would be
/// measured instead of the network; a spinner gives way at once to whatever else is runnable.
/// </summary>
internal sealed class Spinners : IDisposable
{
    private readonly List<Process> _processes = [];

    public static Spinners Start()
    {
        var spinners = new Spinners();
        for (var i = 0; i < Environment.ProcessorCount; i++)
            spinners._processes.Add(Process.Start("chrt", ["--idle", "0", "sh", "-c", "while :; do :; done"]));
        return spinners;
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
        }
    }
}
