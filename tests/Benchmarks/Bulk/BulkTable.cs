using System.Globalization;

namespace NicHost.Benchmarks.Bulk;

/// <summary>What was measured for a row, round by round.</summary>
internal sealed class BulkResult(BulkRow row, IEnumerable<string> devices)
{
    public BulkRow Row { get; } = row;

    public List<double> Plain { get; } = [];

    /// <summary>Processor seconds of everybody per unit, which a busy machine distorts less than rates.</summary>
    public List<double> PlainCost { get; } = [];

    public NicResult[] Nics { get; } = [.. devices.Select(d => new NicResult(d))];
}

/// <summary>The same through a NIC of one kind.</summary>
internal sealed record NicResult(string Device)
{
    public List<double> Rates { get; } = [];

    public List<double> Cost { get; } = [];

    /// <summary>Cores that the host kept busy.</summary>
    public List<double> HostCpu { get; } = [];
}

/// <summary>The table at the end: a line for each row and kind of device.</summary>
internal static class BulkTable
{
    public static void Print(IReadOnlyList<BulkResult> results, bool showCpu)
    {
        Console.WriteLine($"{"",-50} {"",-7} {"plain",9} {"NIC",9} {"",-6} {"ratio",6} {"of virtio",9}   {"NIC, least to most",-20}{(showCpu ? " host cores   CPU per unit, of plain" : "")}");
        foreach (var result in results)
        {
            var virtio = result.Nics.FirstOrDefault(n => n.Device == "virtio");
            foreach (var nic in result.Nics.Where(n => n.Rates.Count > 0))
            {
                var rate = Median(nic.Rates);
                var ofVirtio = virtio is null || virtio == nic ? double.NaN : rate / Median(virtio.Rates);
                var cpu = showCpu ? $" {Number(Median(nic.HostCpu)),10} {Number(Median(nic.Cost) / Median(result.PlainCost)),24}" : "";
                Console.WriteLine($"{result.Row.Name,-50} {nic.Device,-7} {Number(Median(result.Plain)),9} {Number(rate),9} {result.Row.Unit,-6} {Number(rate / Median(result.Plain)),6} {Number(ofVirtio),9}"
                    + $"   {Number(nic.Rates.Min()) + " to " + Number(nic.Rates.Max()),-20}{cpu}");
            }
        }
    }

    private static string Number(double value) => double.IsNaN(value) ? "" : value.ToString("0.00", CultureInfo.InvariantCulture);

    private static double Median(List<double> values)
    {
        if (values.Count == 0) return double.NaN;
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
