using System.Diagnostics.Metrics;
using NicHost.Contracts.Nics;

namespace NicHost.Host.Diagnostics.Metrics;

/// <summary>
/// Makes the meters of one plugin object of one NIC, with the tags <c>vm</c> and <c>nic</c>. They end with the object: its callbacks would
/// keep it alive, and its successor makes instruments of the same names.
/// </summary>
internal sealed class NicMeters(NicIdentity nic) : IMeterFactory
{
    private readonly Lock _gate = new();
    private readonly List<NicMeter> _meters = [];
    private bool _disposed;

    /// <summary>The meter of these options, made by the first who asks.</summary>
    public Meter Create(MeterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        KeyValuePair<string, object?>[] tags = [new("vm", nic.Vm), new("nic", nic.Nic), .. options.Tags ?? []];
        // As a meter keeps them.
        tags = [.. tags.OrderBy(tag => tag.Key, StringComparer.Ordinal)];
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_meters.Find(m => m.Name == options.Name && m.Version == options.Version && m.Tags!.SequenceEqual(tags)) is { } present) return present;
            var meter = new NicMeter(new MeterOptions(options.Name) { Version = options.Version, Tags = tags, Scope = this });
            _meters.Add(meter);
            return meter;
        }
    }

    /// <summary>Makes the plugin object; when that fails, what it has made of meters ends here.</summary>
    public T Make<T>(Func<T> make)
    {
        try { return make(); }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var meter in _meters) meter.End();
            _meters.Clear();
        }
    }

    /// <summary>Others may have got the same one: it ends with the factory, not when one of them disposes it.</summary>
    private sealed class NicMeter(MeterOptions options) : Meter(options)
    {
        public void End() => base.Dispose(disposing: true);

#pragma warning disable CA2215 // that is the point
        protected override void Dispose(bool disposing)
        {
        }
#pragma warning restore CA2215
    }
}
