using System.Globalization;

namespace NicHost.Benchmarks.Bulk;

/// <summary>What was measured for a row, round by round.</summary>
internal sealed record BulkResult(BulkRow Row)
{
    public List<double> Plain { get; } = [];

    public List<double> Nic { get; } = [];

    /// <summary>Processor seconds of everybody per unit, which a busy machine distorts less than rates.</summary>
    public List<double> PlainCost { get; } = [];

    public List<double> NicCost { get; } = [];

    /// <summary>Cores that the host kept busy.</summary>
    public List<double> HostCpu { get; } = [];
}

/// <summary>The table at the end.</summary>
internal static class BulkTable
{
    public static void Print(IEnumerable<BulkResult> results, bool showCpu)
    {
        Console.WriteLine($"{"",-50} {"plain",9} {"NIC",9} {"",-6} {"ratio",6}   {"NIC, least to most",-20}{(showCpu ? " host cores   CPU per unit, of plain" : "")}");
        foreach (var result in results)
        {
            var nic = Median(result.Nic);
            var range = result.Nic.Count == 0 ? "" : $"{Number(result.Nic.Min())} to {Number(result.Nic.Max())}";
            var cpu = showCpu ? $" {Number(Median(result.HostCpu)),10} {Number(Median(result.NicCost) / Median(result.PlainCost)),24}" : "";
            Console.WriteLine($"{result.Row.Name,-50} {Number(Median(result.Plain)),9} {Number(nic),9} {result.Row.Unit,-6} {Number(nic / Median(result.Plain)),6}   {range,-20}{cpu}");
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
