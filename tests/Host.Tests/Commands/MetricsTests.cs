using System.Globalization;
using System.Text.RegularExpressions;

namespace NicHost.Host.Tests.Commands;

/// <summary>What a scraper gets of a real host whose guest has used its network.</summary>
public sealed partial class MetricsTests : IDisposable
{
    private const long FetchedAndSent = 32 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-metrics-").FullName;

    private string Control => Path.Combine(_folder, "control.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Plugins_own_numbers_come_by_NIC_and_go_with_it()
    {
        var topology = Path.Combine(_folder, "topology.json");
        File.WriteAllText(topology, """
            { "vms": { "vm": { "nics": {
              "busy": { "device": { "kind": "virtio", "socket": "busy.sock" }, "endpoint": { "kind": "consomme", "hostLoopback": true, "dns": { "records": [{ "name": "here.test", "value": "10.0.2.2" }] } } },
              "idle": { "device": { "kind": "virtio", "socket": "idle.sock" }, "endpoint": { "kind": "consomme" } }
            } } } }
            """);
        await using var host = HostProcess.Start("run", topology, "--control", Control, "--no-watch");
        await host.ReadyAsync();
        Assert.Equal(0, Number(await RunAsync("metrics"), "consomme_bytes_total", "busy", ("protocol", "tcp"), ("direction", "rx")));
        Assert.Contains("9 of 9 checks passed", await RunAsync("probe", "vm/busy"), StringComparison.Ordinal);

        var metrics = await RunAsync("metrics");
        foreach (var direction in new[] { "rx", "tx" })
        {
            Assert.InRange(Number(metrics, "consomme_bytes_total", "busy", ("protocol", "tcp"), ("direction", direction)), FetchedAndSent, 2 * FetchedAndSent);
            Assert.InRange(Number(metrics, "consomme_datagrams_total", "busy", ("protocol", "udp"), ("direction", direction)), 6, 1000);
        }
        Assert.InRange(Number(metrics, "consomme_flows_opened_total", "busy", ("protocol", "tcp"), ("by", "guest")), 2, 100);
        Assert.InRange(Number(metrics, "consomme_flows", "busy", ("protocol", "udp")), 1, 100);
        Assert.InRange(Number(metrics, "consomme_dns_questions_total", "busy"), 1, 100);
        Assert.Equal(Number(metrics, "consomme_dns_questions_total", "busy"), Number(metrics, "consomme_dns_answers_total", "busy"));
        Assert.Equal(0, Number(metrics, "consomme_bytes_total", "idle", ("protocol", "tcp"), ("direction", "rx")));
        Assert.Contains("# TYPE consomme_flows gauge", metrics, StringComparison.Ordinal);

        File.WriteAllText(topology, """{ "vms": { "vm": { "nics": { "idle": { "device": { "kind": "virtio", "socket": "idle.sock" }, "endpoint": { "kind": "consomme" } } } } } }""");
        Assert.Contains("- vm/busy: ends", await RunAsync("apply"), StringComparison.Ordinal);
        metrics = await RunAsync("metrics");
        Assert.DoesNotContain("busy", metrics, StringComparison.Ordinal);
        Assert.Equal(0, Number(metrics, "consomme_flows", "idle", ("protocol", "tcp")));
    }

    private static long Number(string metrics, string family, string nic, params (string Name, string Value)[] labels)
    {
        string[] wanted = [$"nic=\"{nic}\"", "vm=\"vm\"", .. labels.Select(label => $"{label.Name}=\"{label.Value}\"")];
        var found = Sample().Matches(metrics).Where(match => match.Groups["family"].Value == family && wanted.All(match.Groups["labels"].Value.Split(',').Contains));
        return long.Parse(Assert.Single(found).Groups["value"].Value, NumberStyles.Integer | NumberStyles.AllowExponent | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        await using var command = HostProcess.Start([.. arguments, "--control", Control]);
        await command.EndAsync();
        return command.Output;
    }

    [GeneratedRegex("^(?<family>[a-z_]+)\\{(?<labels>.*)\\} (?<value>.*)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Sample();
}
