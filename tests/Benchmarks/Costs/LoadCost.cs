using System.Globalization;
using NicHost.Host.Plugins;

namespace NicHost.Benchmarks.Costs;

/// <summary>What a plugin costs when a host starts: checking its folder, its assemblies, its factories. The first one pays for what all of them need.</summary>
internal static class LoadCost
{
    public const string Child = "host-load";

    public static void Print(int rounds)
    {
        var results = Enumerable.Range(0, rounds).SelectMany(_ => ChildProcess.Ask(Child)).GroupBy(line => line.Name);
        Console.WriteLine($"\n{"a plugin, ms; in this order",-30} {"check",8} {"load",8} {"compose",8} {"all",8}");
        foreach (var plugin in results)
        {
            var columns = Enumerable.Range(0, 3).Select(column => CostCommand.Median(plugin.Select(line => line.Numbers[column]))).ToArray();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{plugin.Key,-30} {columns[0],8:0.0} {columns[1],8:0.0} {columns[2],8:0.0} {columns.Sum(),8:0.0}"));
        }
    }

    public static int RunChild()
    {
        foreach (var plugin in PluginCatalog.Load([Built.Plugins]).Plugins.Where(plugin => plugin.Version.Length > 0))
            ChildProcess.Tell(plugin.Name, plugin.Timing.Preflight, plugin.Timing.Load, plugin.Timing.Compose);
        return 0;
    }
}
