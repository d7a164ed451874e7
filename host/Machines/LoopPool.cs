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

    public void Inspect(InspectWriter writer)
    {
        for (var i = 0; i < _loops.Length; i++)
        {
            using (writer.Section(_loops[i].Name))
            {
                writer.Value("queues", _queues[i]);
                writer.Value("turns", _loops[i].Turns);
                writer.Value("events", _loops[i].Events);
                writer.Value("watches", _loops[i].WatchCount);
                writer.Value("timers", _loops[i].TimerCount);
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
