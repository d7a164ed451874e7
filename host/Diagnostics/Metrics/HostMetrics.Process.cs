using System.Diagnostics;
using System.Diagnostics.Metrics;
using NicHost.Contracts.Diagnostics;
using NicHost.Loops;

namespace NicHost.Host.Diagnostics.Metrics;

/// <content>What belongs to no NIC. The runtime's own (memory, collections, threads) come from its meter.</content>
internal sealed partial class HostMetrics
{
    private void AddProcess()
    {
        Counter("nichost.loop.turns", "{turn}", "Turns that a loop has made.", () => Loops(loop => loop.Turns));
        Counter("nichost.loop.events", "{event}", "Events that it has delivered.", () => Loops(loop => loop.Events));
        Gauge("nichost.loop.watches", "Descriptors that it watches.", () => Loops(loop => loop.WatchCount));
        Gauge("nichost.loop.timers", "Timers that are set on it.", () => Loops(loop => loop.TimerCount));
        Gauge("nichost.loop.queues", "Queues that run on it.", () => _host.Loops.Loops.Select(l => new Measurement<long>(l.Queues, new KeyValuePair<string, object?>("loop", l.Loop.Name))));
        Gauge("nichost.plugin.info", "1; a plugin that was found.", () => _host.Plugins.Select(plugin => new Measurement<long>(1,
            new("plugin", plugin.Name), new("version", plugin.Version), new("status", InspectWriter.CamelCase(plugin.Status.ToString())))));
        _meter.CreateObservableGauge("nichost.process.open_descriptors", () => OpenDescriptors(), null, "Open file descriptors.");
        _meter.CreateObservableGauge("nichost.process.start_time", () => StartTime, "s", "When the process started, in seconds since 1970.");
    }

    private static double StartTime { get; } = ReadStartTime();

    private IEnumerable<Measurement<long>> Loops(Func<EventLoop, long> read) =>
        _host.Loops.Loops.Select(l => new Measurement<long>(read(l.Loop), new KeyValuePair<string, object?>("loop", l.Loop.Name)));

    // The one that lists them is not counted.
    private static long OpenDescriptors() => Directory.EnumerateFileSystemEntries("/proc/self/fd").LongCount() - 1;

    private static double ReadStartTime()
    {
        using var process = Process.GetCurrentProcess();
        return new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0;
    }
}
