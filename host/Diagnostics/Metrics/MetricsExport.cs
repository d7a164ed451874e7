using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace NicHost.Host.Diagnostics.Metrics;

/// <summary>Listens to the host's, the runtime's and the plugins' instruments and renders them for Prometheus.</summary>
internal sealed partial class MetricsExport : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, MetricSeries> _series = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly object _host;
    private readonly ILogger _log;

    /// <param name="host">The scope of the host's own meters. Plugins' meters are known by theirs.</param>
    /// <param name="logging">Where logs go.</param>
    public MetricsExport(object host, ILoggerFactory logging)
    {
        (_host, _log) = (host, logging.CreateLogger("NicHost.Metrics"));
        _listener.InstrumentPublished = Publish;
        _listener.MeasurementsCompleted = (instrument, _) => _series.TryRemove(instrument, out MetricSeries? _);
        _listener.SetMeasurementEventCallback<byte>((_, value, tags, series) => Take(series, value, tags));
        _listener.SetMeasurementEventCallback<short>((_, value, tags, series) => Take(series, value, tags));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, series) => Take(series, value, tags));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, series) => Take(series, value, tags));
        _listener.SetMeasurementEventCallback<float>((_, value, tags, series) => Take(series, value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, series) => Take(series, value, tags));
        _listener.SetMeasurementEventCallback<decimal>((_, value, tags, series) => Take(series, (double)value, tags));
        _listener.Start();
    }

    /// <summary>Takes all numbers and hands the text out in pieces.</summary>
    public async Task WriteAsync(Func<string, ValueTask> write)
    {
        await _turn.WaitAsync();
        try
        {
            Observe();
            var writer = new PrometheusWriter();
            foreach (var family in _series.Values.GroupBy(series => series.Family, StringComparer.Ordinal).OrderBy(family => family.Key, StringComparer.Ordinal))
            {
                var first = family.First();
                writer.Family(first.Family, first.Help, first.Kind);
                // Two plugins that mean different things by one name: a family has one type, the first one's.
                foreach (var series in family.Where(series => series.Kind == first.Kind))
                {
                    series.WriteTo(writer);
                    if (writer.IsFull) await write(writer.Take());
                }
            }
            await write(writer.Take());
        }
        finally { _turn.Release(); }
    }

    public void Dispose() => _listener.Dispose();

    private void Publish(Instrument instrument, MeterListener listener)
    {
        var meter = instrument.Meter;
        if (meter.Scope is not NicMeters && meter.Scope != _host && meter.Name != "System.Runtime") return;
        var series = _series[instrument] = new MetricSeries(instrument);
        listener.EnableMeasurementEvents(instrument, series);
    }

    private void Observe()
    {
        foreach (var series in _series.Values) series.Begin();
        try { _listener.RecordObservableInstruments(); }
        // One plugin's callback that throws: the others' have run all the same.
        catch (AggregateException e) { LogFailed(_log, e.InnerExceptions[0].Message, e.InnerExceptions.Count); }
    }

    private static void Take(object? series, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => ((MetricSeries)series!).Take(value, tags);

    [LoggerMessage(610, LogLevel.Debug, "{Count} instruments could not be read, the first one: {Reason}")]
    private static partial void LogFailed(ILogger log, string reason, int count);
}
