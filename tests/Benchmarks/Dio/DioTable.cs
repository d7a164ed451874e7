using System.Globalization;

namespace NicHost.Benchmarks.Dio;

/// <summary>What was measured for a row, round by round.</summary>
internal sealed record DioResult(DioRow Row)
{
    /// <summary>A veth pair on the bridge.</summary>
    public List<double> Kernel { get; } = [];

    public List<double> Dio { get; } = [];

    /// <summary>Consomme.</summary>
    public List<double> Nat { get; } = [];

    /// <summary>Cores that the host kept busy for the guest on Dio.</summary>
    public List<double> HostCpu { get; } = [];
}

/// <summary>The table at the end.</summary>
internal static class DioTable
{
    public static void Print(IEnumerable<DioResult> results)
    {
        Console.WriteLine($"{"",-34} {"veth",9} {"Dio",9} {"Consomme",9} {"",-6} {"Dio/veth",9} {"Dio/Consomme",13} {"host cores",11}   Dio, least to most");
        foreach (var result in results)
        {
            var (kernel, dio, nat) = (Median(result.Kernel), Median(result.Dio), Median(result.Nat));
            var range = result.Dio.Count == 0 ? "" : $"{Number(result.Dio.Min())} to {Number(result.Dio.Max())}";
            Console.WriteLine($"{result.Row.Name,-34} {Number(kernel),9} {Number(dio),9} {Number(nat),9} {result.Row.Unit,-6} {Number(dio / kernel),9} {Number(dio / nat),13} {Number(Median(result.HostCpu)),11}   {range}");
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
