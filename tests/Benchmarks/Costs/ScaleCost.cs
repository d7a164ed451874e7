using System.Globalization;

namespace NicHost.Benchmarks.Costs;

/// <summary>Hosts with ever more VMs, a NIC each, to which no guest is attached.</summary>
internal static class ScaleCost
{
    public static void Print(int rounds, int vms, TimeSpan idle)
    {
        (string Device, string Endpoint)[] kinds = [("virtio", "consomme"), ("virtio", "null"), ("netvsp", "consomme")];
        Console.WriteLine($"\n{"VMs with a NIC each",-26} {"VMs",6} {"start",8} {"CPU",8} {"idle CPU",9} {"memory",9} {"per NIC",9} {"files",7} {"one more",9} {"inspect",8} {"stop",8}");
        Console.WriteLine($"{"",-26} {"",6} {"s",8} {"s",8} {"%",9} {"MiB",9} {"KiB",9} {"",7} {"ms",9} {"ms",8} {"s",8}");
        foreach (var (device, endpoint) in kinds)
        {
            double? one = null;
            foreach (var count in new[] { 1, vms / 10, vms }.Where(count => count > 0).Distinct())
            {
                var results = Enumerable.Range(0, rounds).Select(_ => ScaleHost.Measure(device, endpoint, count, idle)).ToArray();
                var memory = Of(results, r => r.MemoryKiB);
                one ??= memory;
                var each = count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"{(memory - one) / (count - 1):0}");
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{device + " + " + endpoint,-26} {count,6} {Of(results, r => r.Start),8:0.00} {Of(results, r => r.StartCpu),8:0.00} {Of(results, r => r.IdleCpu * 100),9:0.00} {memory / 1024,9:0} {each,9} {Of(results, r => r.Files),7:0} {Of(results, r => r.OneMore * 1000),9:0} {Of(results, r => r.Inspect * 1000),8:0} {Of(results, r => r.Stop),8:0.00}"));
            }
        }
    }

    private static double Of(ScaleResult[] results, Func<ScaleResult, double> number) => CostCommand.Median(results.Select(number));
}

/// <summary>One host's life.</summary>
/// <param name="Start">Seconds from the start of the process until all NICs serve.</param>
/// <param name="StartCpu">Processor seconds of that.</param>
/// <param name="IdleCpu">Processor seconds per second while nothing happens.</param>
/// <param name="MemoryKiB">Resident memory after that.</param>
/// <param name="Files">Open descriptors.</param>
/// <param name="OneMore">Seconds for an apply that adds one VM.</param>
/// <param name="Inspect">Seconds for a look at everything.</param>
/// <param name="Stop">Seconds from SIGTERM to the end of the process.</param>
internal sealed record ScaleResult(double Start, double StartCpu, double IdleCpu, double MemoryKiB, double Files, double OneMore, double Inspect, double Stop);
