using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.GuestBench;

/// <summary>Boots each contender in turn, round after round, so that a slow spell of the machine meets all of them.</summary>
internal sealed partial class Runner(BenchOptions options, ResultTable table)
{
    public async Task RunAsync()
    {
        using var lab = new NetnsLab();
        using var iperf = Process.Start(new ProcessStartInfo("ip", ["netns", "exec", lab.Host.Name, "iperf3", "-s", "-B", $"{NetnsLab.HostAddress}"])
        {
            RedirectStandardOutput = true,
        })!;
        iperf.OutputDataReceived += static (_, _) => { };
        iperf.BeginOutputReadLine();
        using var echo = new HostEcho(lab);
        try
        {
            for (var round = 1; round <= options.Rounds; round++)
            {
                foreach (var contender in Contender.All.Where(c => options.Guests.Contains(c.Guest)))
                {
                    Console.Error.WriteLine($"round {round}: {contender.Guest} on {contender.Name}");
                    await TryAsync(lab, contender, round);
                }
            }
        }
        finally
        {
            iperf.Kill(entireProcessTree: true);
        }
    }

    /// <summary>One contender that does not start leaves a gap in the table; the others go on.</summary>
    private async Task TryAsync(NetnsLab lab, Contender contender, int round)
    {
        try
        {
            await using var session = await contender.StartAsync(lab, $"{contender.Guest}-{contender.Name.Replace(' ', '-')}-{round}");
            await MeasureAsync(contender, session.Guest);
        }
        catch (Exception e) when (e is GuestException or InvalidOperationException or TimeoutException)
        {
            Console.Error.WriteLine($"  {contender.Name} failed: {e.Message}");
        }
    }

    private async Task MeasureAsync(Contender contender, Guest guest)
    {
        var host = NetnsLab.HostAddress;
        var s = options.Seconds;
        await Iperf("TCP up, Mbit/s", "");
        await Iperf("TCP down, Mbit/s", "-R");
        await Iperf("TCP up, 4 flows, Mbit/s", "-P4");
        await Iperf("TCP down, 4 flows, Mbit/s", "-P4 -R");
        await Tool("TCP ping-pong, 1/s", $"nettool ping-pong tcp {host} {HostEcho.Port} {s}");
        await Tool("UDP ping-pong, 1/s", $"nettool ping-pong udp {host} {HostEcho.Port} {s}");
        await Tool("connections, 1/s", $"nettool connect-rate {host} {HostEcho.Port} {s}");

        async Task Iperf(string row, string flags)
        {
            var result = await guest.RunAsync($"iperf3 -c {host} -f m -t {s} -O 1 {flags}", s + 30);
            var match = ReceiverLine().Matches(result.Output).LastOrDefault();
            Note(row, match?.Groups[1].Value, result);
        }

        async Task Tool(string row, string command)
        {
            var result = await guest.RunAsync(command, s + 30);
            Note(row, FirstNumber().Match(result.Output) is { Success: true } match ? match.Value : null, result);
        }

        void Note(string row, string? figure, GuestResult result)
        {
            var value = result.Status == 0 && figure is not null ? double.Parse(figure, CultureInfo.InvariantCulture) : 0;
            if (value == 0) Console.Error.WriteLine($"  {row}: status {result.Status}: {result.Output.Split('\n').Last()}");
            table.Add($"{contender.Guest}, MTU 1500", contender.Name, row, value);
        }
    }

    [GeneratedRegex(@"([\d.]+) Mbits/sec.*receiver")]
    private static partial Regex ReceiverLine();

    [GeneratedRegex(@"[\d.]+")]
    private static partial Regex FirstNumber();
}
