using System.Diagnostics.Metrics;

namespace NicHost.Consomme.Tests;

/// <summary>Meters of one endpoint, and a listener that reads them.</summary>
internal sealed class TestMeters : IMeterFactory
{
    private readonly List<Meter> _meters = [];

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(new MeterOptions(options.Name) { Scope = this });
        _meters.Add(meter);
        return meter;
    }

    /// <summary>Every number at this moment, by instrument and tags: <c>consomme.flows tcp</c>.</summary>
    public SortedDictionary<string, long> Read()
    {
        var numbers = new SortedDictionary<string, long>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope != this) return;
            // Those that are told each time would cost something for each packet.
            Assert.True(instrument.IsObservable, instrument.Name);
            self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => numbers.Add(string.Join(' ', [instrument.Name, .. tags.ToArray().Select(tag => $"{tag.Value}")]), value));
        listener.Start();
        listener.RecordObservableInstruments();
        return numbers;
    }

    public void Dispose()
    {
        foreach (var meter in _meters) meter.Dispose();
    }
}
