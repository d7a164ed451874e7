using System.Diagnostics.Metrics;

namespace NicHost.Host.Diagnostics.Metrics;

/// <summary>From the names of instruments and tags to those of Prometheus: <c>nichost.nic.frames</c> becomes <c>nichost_nic_frames_total</c>.</summary>
internal static class MetricName
{
    /// <summary>The family's name: with its unit, and <c>_total</c> for what only grows.</summary>
    public static string Family(Instrument instrument, MetricKind kind)
    {
        var name = Sanitize(instrument.Name);
        var unit = Unit(instrument.Unit);
        if (unit.Length > 0 && !name.EndsWith("_" + unit, StringComparison.Ordinal)) name = $"{name}_{unit}";
        return kind == MetricKind.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    /// <summary>Letters, digits and underscores; other characters become underscores.</summary>
    public static string Sanitize(string name)
    {
        var clean = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        return clean.Length == 0 || char.IsAsciiDigit(clean[0]) ? "_" + clean : clean;
    }

    // UCUM's codes, as instruments have them; what stands in braces only explains the number.
    private static string Unit(string? unit) => unit switch
    {
        null or "" or "1" => "",
        "By" => "bytes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "%" => "percent",
        ['{', .., '}'] => "",
        _ => Sanitize(unit),
    };
}

/// <summary>How a family's numbers are to be read.</summary>
internal enum MetricKind
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Counts by size.</summary>
    Histogram,
}
