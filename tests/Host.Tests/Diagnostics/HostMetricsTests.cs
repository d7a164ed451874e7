using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Diagnostics;
using NicHost.Host.Diagnostics.Metrics;
using NicHost.Host.Tests.Machines;

namespace NicHost.Host.Tests.Diagnostics;

public sealed class HostMetricsTests
{
    [Fact]
    public async Task Counters_of_a_NIC_are_exported_by_queue_direction_and_reason()
    {
        await using var host = await TestHost.StartAsync("a");
        var backend = host.Device("a").Backend!;
        var counters = backend.Counters(1);
        (counters.TxFrames, counters.TxBytes, counters.RxFrames, counters.RxBytes) = (1, 2, 3, 4);
        (counters.Kicks, counters.Calls, counters.TxStalls, counters.RxStalls) = (5, 6, 7, 8);
        counters.DropTx(DropReason.BadChecksum);
        counters.DropRx(DropReason.NoBuffer);
        counters.DropRx(DropReason.NoBuffer);
        backend.ReportAttachment("QEMU");
        backend.ReportGuestFault("a ring index jumped");
        host.Endpoint("a").Host!.ReportTrouble("no sockets left");

        var lines = await ScrapeAsync(host);

        Assert.Equal("""
            nichost_nic_attached{vm="vm",nic="a"} 1
            nichost_nic_attachments_total{vm="vm",nic="a"} 1
            nichost_nic_bytes_total{vm="vm",nic="a",queue="1",direction="rx"} 4
            nichost_nic_bytes_total{vm="vm",nic="a",queue="1",direction="tx"} 2
            nichost_nic_calls_total{vm="vm",nic="a",queue="1"} 6
            nichost_nic_drops_total{vm="vm",nic="a",queue="1",direction="rx",reason="noBuffer"} 2
            nichost_nic_drops_total{vm="vm",nic="a",queue="1",direction="tx",reason="badChecksum"} 1
            nichost_nic_faults_total{vm="vm",nic="a"} 0
            nichost_nic_frames_total{vm="vm",nic="a",queue="1",direction="rx"} 3
            nichost_nic_frames_total{vm="vm",nic="a",queue="1",direction="tx"} 1
            nichost_nic_guest_faults_total{vm="vm",nic="a"} 1
            nichost_nic_host_troubles_total{vm="vm",nic="a"} 1
            nichost_nic_info{vm="vm",nic="a",device="card",endpoint="cable",mac="MAC"} 1
            nichost_nic_kicks_total{vm="vm",nic="a",queue="1"} 5
            nichost_nic_link_up{vm="vm",nic="a"} 1
            nichost_nic_restarts_total{vm="vm",nic="a"} 0
            nichost_nic_stalls_total{vm="vm",nic="a",queue="1",direction="rx"} 8
            nichost_nic_stalls_total{vm="vm",nic="a",queue="1",direction="tx"} 7
            nichost_nic_state{vm="vm",nic="a",state="running"} 1
            """, string.Join('\n', lines.Where(line => line.StartsWith("nichost_nic_", StringComparison.Ordinal) && !line.Contains("queue=\"0\"", StringComparison.Ordinal))
                .Select(line => line.Replace(host.Nic("a").Model.Mac.ToString(), "MAC", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Loops_plugins_and_process_are_exported()
    {
        await using var host = await TestHost.StartAsync("a");
        var lines = await ScrapeAsync(host);
        Assert.Contains("nichost_plugin_info{plugin=\"test\",version=\"1.0.0\",status=\"active\"} 1", lines);
        Assert.Contains("nichost_loop_queues{loop=\"nic-loop-0\"} 2", lines);
        foreach (var family in new[] { "nichost_loop_turns_total", "nichost_loop_events_total", "nichost_loop_watches", "nichost_loop_timers", "nichost_process_open_descriptors", "nichost_process_start_time_seconds", "dotnet_gc_collections_total" })
            Assert.Contains(lines, line => line.StartsWith(family, StringComparison.Ordinal));
    }

    [Fact]
    public async Task NIC_that_is_removed_has_no_series_any_more()
    {
        await using var host = await TestHost.StartAsync("a", "b");
        Assert.Contains(await ScrapeAsync(host), line => line.Contains("nic=\"b\"", StringComparison.Ordinal));
        await host.Runtime.Vms[0].RemoveNicAsync(host.Nic("b").Identity);
        var lines = await ScrapeAsync(host);
        Assert.DoesNotContain(lines, line => line.Contains("nic=\"b\"", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("nic=\"a\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Plugins_get_meters_that_end_with_their_NICs_life()
    {
        await using var host = await TestHost.StartAsync("a");
        host.Device("a").Meters!.Create(new MeterOptions("Card")).CreateObservableGauge("card.depth", () => 4);
        host.Endpoint("a").Meters!.Create(new MeterOptions("Cable")).CreateObservableGauge("cable.length", () => 5);
        const string ofDevice = "card_depth{nic=\"a\",vm=\"vm\"} 4";
        const string ofEndpoint = "cable_length{nic=\"a\",vm=\"vm\"} 5";
        var before = await ScrapeAsync(host);
        Assert.Contains(ofDevice, before);
        Assert.Contains(ofEndpoint, before);

        await host.Runtime.Vms[0].RemoveNicAsync(host.Nic("a").Identity);

        var after = await ScrapeAsync(host);
        Assert.DoesNotContain(ofDevice, after);
        Assert.DoesNotContain(ofEndpoint, after);
    }

    private static async Task<string[]> ScrapeAsync(TestHost host)
    {
        using var instruments = new HostMetrics(host.Runtime);
        using var export = new MetricsExport(host.Runtime, NullLoggerFactory.Instance);
        var text = new StringBuilder();
        await export.WriteAsync(piece =>
        {
            text.Append(piece);
            return ValueTask.CompletedTask;
        });
        return [.. text.ToString().Split('\n').Where(line => line.Length > 0 && line[0] != '#').Order(StringComparer.Ordinal)];
    }
}
