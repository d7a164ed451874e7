using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Nics;
using NicHost.Host.Diagnostics.Metrics;

namespace NicHost.Host.Tests.Diagnostics;

public sealed class MetricsExportTests : IDisposable
{
    private readonly string _vm = $"vm-{Guid.NewGuid():N}";
    private readonly NicMeters _meters;
    private readonly MetricsExport _export = new(new object(), NullLoggerFactory.Instance);

    public MetricsExportTests() => _meters = new NicMeters(new NicIdentity(_vm, "eth0"));

    [Fact]
    public async Task Instruments_of_every_kind_come_with_the_NICs_name_and_a_name_with_unit()
    {
        var meter = _meters.Create(new MeterOptions("Test") { Tags = [new("part", "a")] });
        meter.CreateObservableCounter("test.flow.bytes", () => new Measurement<long>(12, new KeyValuePair<string, object?>("protocol", "tcp")), "By", "Bytes\nof flows.");
        meter.CreateObservableGauge("test.load", () => 0.25, "1");
        var counter = meter.CreateCounter<int>("test.questions", "{question}");
        counter.Add(2);
        counter.Add(3, new KeyValuePair<string, object?>("kind", "A"));
        counter.Add(4, new KeyValuePair<string, object?>("kind", "A"));
        var open = meter.CreateUpDownCounter<short>("test-open");
        open.Add(5);
        open.Add(-2);
        var level = meter.CreateGauge<float>("test.level");
        level.Record(7);
        level.Record(1.5f);
        var delay = meter.CreateHistogram("test.delay", "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        delay.Record(0.1);
        delay.Record(0.5);
        delay.Record(20);

        Assert.Equal("""
            # HELP test_flow_bytes_total Bytes\nof flows.
            # TYPE test_delay_seconds histogram
            # TYPE test_flow_bytes_total counter
            # TYPE test_level gauge
            # TYPE test_load gauge
            # TYPE test_open gauge
            # TYPE test_questions_total counter
            test_delay_seconds_bucket{NIC,le="+Inf"} 3
            test_delay_seconds_bucket{NIC,le="0.1"} 1
            test_delay_seconds_bucket{NIC,le="1"} 2
            test_delay_seconds_count{NIC} 3
            test_delay_seconds_sum{NIC} 20.6
            test_flow_bytes_total{NIC,protocol="tcp"} 12
            test_level{NIC} 1.5
            test_load{NIC} 0.25
            test_open{NIC} 3
            test_questions_total{NIC,kind="A"} 7
            test_questions_total{NIC} 2
            """, await ScrapeAsync("test"));
    }

    [Fact]
    public async Task Labels_are_escaped_and_their_names_made_valid()
    {
        _meters.Create(new MeterOptions("Test")).CreateObservableGauge("escape", () => new Measurement<long>(1,
            new("quote", "a\"b\\c\nd"), new("http.method", true), new("9", null), new("", "x"), new("number", 1.5)));
        Assert.Contains("""quote="a\"b\\c\nd",http_method="True",_9="",_="x",number="1.5"} 1""", await ScrapeAsync("escape"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_observed_no_more_has_no_number()
    {
        long[] flows = [1, 2];
        _meters.Create(new MeterOptions("Test")).CreateObservableGauge("gone", () => flows.Select(f => new Measurement<long>(f, new KeyValuePair<string, object?>("flow", f))));
        Assert.Equal(2, Samples(await ScrapeAsync("gone")));
        flows = [2];
        Assert.Equal(1, Samples(await ScrapeAsync("gone")));
    }

    [Fact]
    public async Task Meters_end_with_their_NIC_and_not_before()
    {
        var meter = _meters.Create(new MeterOptions("Test"));
        Assert.Same(meter, _meters.Create(new MeterOptions("Test")));
        meter.CreateObservableGauge("life", () => 1);
        meter.Dispose();
        Assert.Equal(1, Samples(await ScrapeAsync("life")));
        _meters.Dispose();
        Assert.Equal("", await ScrapeAsync("life"));
        Assert.Throws<ObjectDisposedException>(() => _meters.Create(new MeterOptions("Test")));
    }

    [Fact]
    public async Task Instrument_that_throws_hides_no_other()
    {
        var meter = _meters.Create(new MeterOptions("Test"));
        meter.CreateObservableGauge("throws.a", (Func<long>)(() => throw new FormatException("bad")));
        meter.CreateObservableGauge("throws.b", () => 1);
        Assert.Equal(1, Samples(await ScrapeAsync("throws")));
    }

    [Fact]
    public async Task Two_meanings_of_one_name_do_not_spoil_the_family()
    {
        _meters.Create(new MeterOptions("A")).CreateObservableGauge("same_total", () => 1);
        _meters.Create(new MeterOptions("B")).CreateObservableCounter("same", () => 1L);
        Assert.Equal(1, Samples(await ScrapeAsync("same")));
    }

    [Fact]
    public async Task Meters_of_others_are_not_told()
    {
        using var meter = new Meter("Somebody");
        meter.CreateObservableGauge("stranger", () => 1);
        Assert.Equal("", await ScrapeAsync("stranger"));
        Assert.Contains("dotnet_process_cpu_count ", await ScrapeAsync("dotnet_process"), StringComparison.Ordinal);
    }

    [Fact]
    public void Counting_allocates_nothing_once_the_labels_are_known()
    {
        var counter = _meters.Create(new MeterOptions("Test")).CreateCounter<long>("allocation");
        var tag = new KeyValuePair<string, object?>("kind", "A");
        counter.Add(1, tag);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) counter.Add(1, tag);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    public void Dispose()
    {
        _export.Dispose();
        _meters.Dispose();
    }

    /// <summary>The lines of the families that start so, sorted, with the NIC's own labels cut short.</summary>
    private async Task<string> ScrapeAsync(string family)
    {
        var text = new StringBuilder();
        await _export.WriteAsync(piece =>
        {
            text.Append(piece);
            return ValueTask.CompletedTask;
        });
        // A meter sorts its tags.
        var (nic, vm) = ("nic=\"eth0\"", $"vm=\"{_vm}\"");
        var lines = text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line.Split(' ') is ["#", _, var name, ..] ? name.StartsWith(family, StringComparison.Ordinal) : line.StartsWith(family, StringComparison.Ordinal))
            .Select(line => line.Replace($"{nic},part=\"a\",{vm}", "NIC", StringComparison.Ordinal).Replace($"{nic},{vm}", "NIC", StringComparison.Ordinal));
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    private static int Samples(string text) => text.Split('\n').Count(line => line.Contains("{NIC", StringComparison.Ordinal));
}
