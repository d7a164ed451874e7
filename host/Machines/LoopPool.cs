using Microsoft.Extensions.Logging;
using NicHost.Contracts.Diagnostics;
using NicHost.Loops;

namespace NicHost.Host.Machines;

/// <summary>The shared loops. A queue gets the loop with the fewest queues.</summary>
internal sealed partial class LoopPool : IDisposable
{
    private readonly Lock _gate = new();
    private readonly EventLoop[] _loops;
    private readonly int[] _queues;
    private readonly ILogger _log;

    public LoopPool(int count, TimeProvider time, ILoggerFactory logging)
    {
        _log = logging.CreateLogger("NicHost.Loops");
        _queues = new int[count];
        _loops = [.. Enumerable.Range(0, count).Select(i => new EventLoop($"nic-loop-{i}", time, OnFault))];
        foreach (var loop in _loops) loop.Start();
    }

    public static int DefaultCount => Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>A loop for one more queue.</summary>
    public EventLoop Take()
    {
        lock (_gate)
        {
            var least = Array.IndexOf(_queues, _queues.Min());
            _queues[least]++;
            return _loops[least];
        }
    }

    /// <summary>A queue has left <paramref name="loop"/>.</summary>
    public void Return(EventLoop loop)
    {
        lock (_gate) _queues[Array.IndexOf(_loops, loop)]--;
    }

    /// <summary>Each loop and how many queues it has.</summary>
    public IEnumerable<(EventLoop Loop, int Queues)> Loops => _loops.Zip(_queues);

    public void Inspect(InspectWriter writer)
    {
        foreach (var (loop, queues) in Loops)
        {
            using (writer.Section(loop.Name))
            {
                writer.Value("queues", queues);
                writer.Value("turns", loop.Turns);
                writer.Value("events", loop.Events);
                writer.Value("watches", loop.WatchCount);
                writer.Value("timers", loop.TimerCount);
            }
        }
    }

    public void Dispose()
    {
        foreach (var loop in _loops) loop.Dispose();
    }

    private void OnFault(Exception e) => LogStray(_log, e);

    [LoggerMessage(100, LogLevel.Error, "Work on a loop that belongs to no NIC failed.")]
    private static partial void LogStray(ILogger log, Exception e);
}
