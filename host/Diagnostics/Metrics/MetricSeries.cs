using System.Diagnostics.Metrics;

namespace NicHost.Host.Diagnostics.Metrics;

/// <summary>
/// The numbers of one instrument, by labels. Observed ones are taken anew for each scrape, so that what is gone has none; what an
/// instrument is told meanwhile adds up, without allocation once its labels are known.
/// </summary>
internal sealed class MetricSeries
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Cell> _cells = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Cell>.AlternateLookup<ReadOnlySpan<char>> _byLabels;
    private readonly string _fixedLabels;
    private readonly double[] _bounds;
    private readonly bool _isObserved;
    private readonly bool _adds;

    public MetricSeries(Instrument instrument)
    {
        var type = instrument.GetType().GetGenericTypeDefinition();
        Kind = type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? MetricKind.Counter
            : type == typeof(Histogram<>) ? MetricKind.Histogram : MetricKind.Gauge;
        Family = MetricName.Family(instrument, Kind);
        Help = instrument.Description ?? "";
        _isObserved = instrument.IsObservable;
        _adds = !_isObserved && type != typeof(Gauge<>);
        _bounds = Kind == MetricKind.Histogram ? Bounds(instrument) : [];
        _fixedLabels = Labels.Fixed((instrument.Meter.Tags ?? []).Concat(instrument.Tags ?? []));
        _byLabels = _cells.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public MetricKind Kind { get; }

    public string Family { get; }

    public string Help { get; }

    /// <summary>A scrape begins.</summary>
    public void Begin()
    {
        if (!_isObserved) return;
        lock (_gate) _cells.Clear();
    }

    public void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = Labels.Render(_fixedLabels, tags);
        lock (_gate)
        {
            if (!_byLabels.TryGetValue(labels, out var cell)) _cells.Add(labels.ToString(), cell = new Cell(_bounds));
            if (Kind == MetricKind.Histogram) cell.Count(value);
            else cell.Value = _adds ? cell.Value + value : value;
        }
    }

    public void WriteTo(PrometheusWriter writer)
    {
        lock (_gate)
        {
            foreach (var (labels, cell) in _cells)
            {
                if (Kind == MetricKind.Histogram) cell.WriteHistogram(writer, Family, labels);
                else writer.Sample(Family, labels, cell.Value);
            }
        }
    }

    private static double[] Bounds(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(b => (double)b)],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(b => (double)b)],
        // OpenTelemetry's default.
        _ => [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000],
    };

    private sealed class Cell(double[] bounds)
    {
        private readonly long[] _counts = bounds.Length == 0 ? [] : new long[bounds.Length + 1];

        public double Value { get; set; }

        public void Count(double value)
        {
            var bucket = Array.BinarySearch(bounds, value);
            _counts[bucket < 0 ? ~bucket : bucket]++;
            Value += value;
        }

        public void WriteHistogram(PrometheusWriter writer, string family, string labels)
        {
            var separator = labels.Length == 0 ? "" : ",";
            var sum = 0L;
            for (var i = 0; i < _counts.Length; i++)
            {
                sum += _counts[i];
                writer.Sample(family + "_bucket", $"{labels}{separator}le=\"{(i < bounds.Length ? PrometheusWriter.Number(bounds[i]) : "+Inf")}\"", sum);
            }
            writer.Sample(family + "_sum", labels, Value);
            writer.Sample(family + "_count", labels, sum);
        }
    }
}
