using System.Diagnostics;
using System.Globalization;
using NicHost.Benchmarks.Bulk;
using NicHost.Probe.Frontend;

namespace NicHost.Benchmarks.Dio;

/// <summary>One line of the table.</summary>
internal sealed record DioRow(string Name, string Unit, double Scale, VirtioFeatures Features, Func<IBulkClient, TimeSpan, double> Measure);

/// <summary>The probe guest on a bridge, the kernel alone on the same bridge, and the probe guest on the NAT, to the same sink; interleaved.</summary>
internal static class DioCommand
{
    private const VirtioFeatures Super = VirtioFeatures.Default;
    private const VirtioFeatures Plain = VirtioFeatures.Default & ~VirtioFeatures.Gso;
    private const double Gbit = 8e-9;

    private static readonly DioRow[] Rows =
    [
        new("TCP up,   super-frames", "Gbit/s", Gbit, Super, (c, t) => c.TcpUp(t)),
        new("TCP down, super-frames", "Gbit/s", Gbit, Super, (c, t) => c.TcpDown(t)),
        new("TCP up,   guest frame by frame", "Gbit/s", Gbit, Plain, (c, t) => c.TcpUp(t)),
        new("TCP down, guest frame by frame", "Gbit/s", Gbit, Plain, (c, t) => c.TcpDown(t)),
        new("UDP up,   64 B", "kpps", 1e-3, Plain, (c, t) => c.UdpUp(t, 64)),
        new("UDP down, 64 B", "kpps", 1e-3, Plain, (c, t) => c.UdpDown(t, 64)),
        new("UDP up,   1400 B, super-frames", "kpps", 1e-3, Super, (c, t) => c.UdpUp(t, 1400)),
        new("UDP down, 1400 B, super-frames", "kpps", 1e-3, Super, (c, t) => c.UdpDown(t, 1400)),
        new("TCP request/response, 1 B", "k/s", 1e-3, Super, (c, t) => c.TcpRoundTrips(t)),
        new("UDP request/response, 1 B", "k/s", 1e-3, Super, (c, t) => c.UdpRoundTrips(t)),
        new("TCP connect and close", "k/s", 1e-3, Super, (c, t) => c.Connects(t)),
    ];

    public static int Run(string[] args)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Console.Error.WriteLine("It makes network namespaces, a bridge and a TAP: run it as root.");
            return 2;
        }
        var rounds = int.Parse(Option(args, "--rounds") ?? "5", CultureInfo.InvariantCulture);
        var time = TimeSpan.FromSeconds(double.Parse(Option(args, "--seconds") ?? "1", CultureInfo.InvariantCulture));
        var rows = Rows.Where(r => r.Name.Contains(Option(args, "--only") ?? "", StringComparison.OrdinalIgnoreCase)).ToArray();
        using var spinners = args.Contains("--no-spin") ? null : new Spinners(Environment.ProcessorCount);
        using var world = new DioWorld();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} cores, {rounds} rounds of {time.TotalSeconds} s, interleaved, medians; {(spinners is null ? "cores may sleep" : "cores kept awake")}; host pid {world.HostId}"));
        var results = rows.Select(r => new DioResult(r)).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var result in results)
            {
                MeasureKernel(result, world, time);
                MeasureGuest(result, world, "dio", result.Dio, result.HostCpu, time);
                MeasureGuest(result, world, "nat", result.Nat, [], time);
            }
        }
        DioTable.Print(results);
        return 0;
    }

    private static void MeasureKernel(DioResult result, DioWorld world, TimeSpan time)
    {
        var plain = new PlainClient(world.Server);
        result.Kernel.Add(world.Client.Inside(() =>
        {
            if (result.Kernel.Count == 0) result.Row.Measure(plain, time / 4);
            return result.Row.Measure(plain, time);
        }) * result.Row.Scale);
    }

    private static void MeasureGuest(DioResult result, DioWorld world, string nic, List<double> into, List<double> cpu, TimeSpan time)
    {
        var row = result.Row;
        var started = BulkGuest.Virtio(world.Socket(nic), row.Features);
        using var guest = nic == "dio"
            ? new GuestClient(world.Server, started, DioWorld.GuestLink)
            : new GuestClient(world.Server, started) { Peer = DioWorld.Sink };
        try
        {
            // The first round warms the host's code up to its final form.
            row.Measure(guest, into.Count == 0 ? TimeSpan.FromSeconds(1.5) : TimeSpan.FromMilliseconds(200));
            var (used, begin) = (world.Used, Stopwatch.GetTimestamp());
            into.Add(row.Measure(guest, time) * row.Scale);
            cpu.Add((world.Used - used) / Stopwatch.GetElapsedTime(begin));
        }
        catch (InvalidOperationException e)
        {
            Console.WriteLine($"  {row.Name}, {nic}: {e.Message}");
        }
        if (guest.Faults.Length > 0) Console.WriteLine($"  {row.Name}, {nic}: the guest saw: {guest.Faults}");
    }

    private static string? Option(string[] args, string name)
    {
        var at = Array.IndexOf(args, name);
        return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
    }
}
