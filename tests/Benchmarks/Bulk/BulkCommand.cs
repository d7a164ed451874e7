using System.Globalization;

namespace NicHost.Benchmarks.Bulk;

/// <summary>One line of the table.</summary>
internal sealed record BulkRow(string Name, string Unit, double Scale, string Nic, bool SuperFrames, int? BufferSize, Func<IBulkClient, TimeSpan, double>? Measure, Func<FrameClient, TimeSpan, double>? Frames = null);

/// <summary>The interleaved comparison.</summary>
internal static class BulkCommand
{
    private const bool Super = true;
    private const bool Plain = false;
    private const double Gbit = 8e-9;

    private static readonly BulkRow[] Rows =
    [
        new("TCP up,   MTU 1500, super-frames", "Gbit/s", Gbit, "1500", Super, null, (c, t) => c.TcpUp(t)),
        new("TCP down, MTU 1500, super-frames", "Gbit/s", Gbit, "1500", Super, null, (c, t) => c.TcpDown(t)),
        new("TCP down, MTU 1500, super-frames, 64 KiB buffers", "Gbit/s", Gbit, "1500", Super, 65600, (c, t) => c.TcpDown(t)),
        new("TCP up,   MTU 1500, frame by frame", "Gbit/s", Gbit, "1500", Plain, null, (c, t) => c.TcpUp(t)),
        new("TCP down, MTU 1500, frame by frame", "Gbit/s", Gbit, "1500", Plain, null, (c, t) => c.TcpDown(t)),
        new("TCP up,   MTU 65520", "Gbit/s", Gbit, "65520", Super, null, (c, t) => c.TcpUp(t)),
        new("TCP down, MTU 65520", "Gbit/s", Gbit, "65520", Super, null, (c, t) => c.TcpDown(t)),
        new("UDP up,   64 B", "kpps", 1e-3, "1500", Plain, null, (c, t) => c.UdpUp(t, 64)),
        new("UDP down, 64 B", "kpps", 1e-3, "1500", Plain, null, (c, t) => c.UdpDown(t, 64)),
        new("UDP up,   1400 B", "kpps", 1e-3, "1500", Plain, null, (c, t) => c.UdpUp(t, 1400)),
        new("UDP down, 1400 B", "kpps", 1e-3, "1500", Plain, null, (c, t) => c.UdpDown(t, 1400)),
        new("UDP up,   1400 B, super-frames", "kpps", 1e-3, "1500", Super, null, (c, t) => c.UdpUp(t, 1400)),
        new("UDP down, 1400 B, super-frames", "kpps", 1e-3, "1500", Super, null, (c, t) => c.UdpDown(t, 1400)),
        new("TCP request/response, 1 B", "k/s", 1e-3, "1500", Super, null, (c, t) => c.TcpRoundTrips(t)),
        new("UDP request/response, 1 B", "k/s", 1e-3, "1500", Super, null, (c, t) => c.UdpRoundTrips(t)),
        new("frames out, 64 B, device alone", "Mpps", 1e-6, "null", Super, null, null, (c, t) => c.Send(t, 64)),
        new("frames out, 1514 B, device alone", "Mpps", 1e-6, "null", Super, null, null, (c, t) => c.Send(t, 1514)),
        new("frames out and in, 64 B, device alone", "Mpps", 1e-6, "loopback", Super, null, null, (c, t) => c.SendAndReceive(t, 64)),
        new("frames out and in, 1514 B, device alone", "Mpps", 1e-6, "loopback", Super, null, null, (c, t) => c.SendAndReceive(t, 1514)),
        new("TCP connect and close", "k/s", 1e-3, "1500", Super, null, (c, t) => c.Connects(t)),
    ];

    public static int Run(string[] args)
    {
        var rounds = int.Parse(Option(args, "--rounds") ?? "5", CultureInfo.InvariantCulture);
        var time = TimeSpan.FromSeconds(double.Parse(Option(args, "--seconds") ?? "1", CultureInfo.InvariantCulture));
        var rows = Rows.Where(r => r.Name.Contains(Option(args, "--only") ?? "", StringComparison.OrdinalIgnoreCase)).ToArray();
        var showCpu = args.Contains("--cpu");
        var devices = HostProcess.Devices.Where(d => (Option(args, "--device") ?? "both") is var wanted && (wanted == "both" || wanted == d)).ToArray();
        if (devices.Length == 0)
        {
            Console.Error.WriteLine($"--device: {string.Join(", ", HostProcess.Devices)} or both.");
            return 2;
        }
        using var spinners = args.Contains("--no-spin") ? null : new Spinners(Environment.ProcessorCount);
        using var server = new BulkServer();
        using var host = new HostProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} cores, {rounds} rounds of {time.TotalSeconds} s, interleaved, medians; {(spinners is null ? "cores may sleep" : "cores kept awake")}; host pid {host.Id}"));
        var plain = new PlainClient(server);
        var results = rows.Select(r => new BulkResult(r, devices)).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var result in results)
            {
                var row = result.Row;
                if (row.Measure is { } measure)
                {
                    if (round == 0) measure(plain, time / 4);
                    var used = OwnProcessorTime;
                    var rate = measure(plain, time);
                    result.Plain.Add(rate * row.Scale);
                    result.PlainCost.Add((OwnProcessorTime - used).TotalSeconds / (rate * time.TotalSeconds));
                }
                // Buffers of a chosen size are virtio's.
                foreach (var nic in result.Nics.Where(n => row.BufferSize is null || n.Device == "virtio")) MeasureNic(row, nic, server, host, time, showCpu);
            }
        }
        BulkTable.Print(results, showCpu);
        return 0;
    }

    private static TimeSpan OwnProcessorTime => Environment.CpuUsage.TotalTime;

    private static void MeasureNic(BulkRow row, NicResult result, BulkServer server, HostProcess host, TimeSpan time, bool detail)
    {
        var guest = BulkGuest.Start(result.Device, host.Socket(result.Device, row.Nic), row.SuperFrames, row.BufferSize);
        if (row.Frames is { } frames)
        {
            using var sender = new FrameClient(guest);
            result.Rates.Add(frames(sender, time) * row.Scale);
            return;
        }
        using var client = new GuestClient(server, guest);
        var who = $"{row.Name}, {result.Device}";
        try
        {
            // The first round warms the host's code up to its final form.
            row.Measure!(client, result.Rates.Count == 0 ? TimeSpan.FromSeconds(1.5) : TimeSpan.FromMilliseconds(200));
            var (own, theirs, effort) = (OwnProcessorTime, host.Used, client.Effort);
            var rate = row.Measure(client, time);
            result.Rates.Add(rate * row.Scale);
            var (ownUsed, hostUsed) = (OwnProcessorTime - own, host.Used - theirs);
            result.HostCpu.Add(hostUsed / time);
            result.Cost.Add((ownUsed + hostUsed).TotalSeconds / (rate * time.TotalSeconds));
            if (detail) Console.WriteLine($"  {who}: {Describe(rate * row.Scale, effort, client.Effort, time)}");
        }
        catch (InvalidOperationException e)
        {
            Console.WriteLine($"  {who}: {e.Message}");
        }
        if (client.Faults.Length > 0) Console.WriteLine($"  {who}: the guest saw: {client.Faults}");
    }

    private static string Describe(double rate, GuestEffort before, GuestEffort after, TimeSpan time) => string.Create(
        CultureInfo.InvariantCulture,
        $"{rate:0.00}; per second {(after.Sent - before.Sent) / time.TotalSeconds:0} frames sent, {(after.Received - before.Received) / time.TotalSeconds:0} received, {(after.Kicks - before.Kicks) / time.TotalSeconds:0} kicks, {(after.Sleeps - before.Sleeps) / time.TotalSeconds:0} sleeps");

    private static string? Option(string[] args, string name)
    {
        var at = Array.IndexOf(args, name);
        return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
    }
}
