using System.Globalization;

namespace NicHost.Benchmarks.Costs;

/// <summary>What a host costs beside the packets: three tables.</summary>
internal static class CostCommand
{
    public static int Run(string[] args)
    {
        var rounds = int.Parse(Option(args, "--rounds") ?? "3", CultureInfo.InvariantCulture);
        var vms = int.Parse(Option(args, "--vms") ?? "1000", CultureInfo.InvariantCulture);
        var idle = TimeSpan.FromSeconds(double.Parse(Option(args, "--idle") ?? "5", CultureInfo.InvariantCulture));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} cores, load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}, medians of {rounds} rounds, each in a process of its own"));
        LoadCost.Print(rounds);
        CallCost.Print(rounds);
        ScaleCost.Print(rounds, vms, idle);
        return 0;
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
}
