using System.Text.Json;
using NicHost.Contracts.Diagnostics;
using NicHost.Host.Diagnostics;
using NicHost.Host.Tests.Machines;
using VerifyXunit;

namespace NicHost.Host.Tests.Diagnostics;

public sealed class StatusTableTests
{
    [Fact]
    public async Task Status_has_a_line_for_each_NIC()
    {
        await using var good = await TestHost.StartAsync("eth0");
        var backend = good.Device("eth0").Backend!;
        backend.ReportAttachment("pid 1\u001b[31m");
        backend.Counters(0).RxFrames = 2;
        backend.Counters(1).RxFrames = 3;
        backend.Counters(1).RxBytes = 3000;
        backend.Counters(0).DropTx(DropReason.Malformed);
        await using var bad = TestHost.Create(default, "management");
        bad.Devices.StartFaults.Enqueue(new IOException("/tmp/x.sock is in use: stop the other process."));
        await bad.StartAsync();
        await Verifier.Verify(StatusTable.Text(good.Runtime.Nics.Concat(bad.Runtime.Nics)).TrimEnd());
    }

    [Fact]
    public async Task Status_as_JSON_is_an_array_with_an_object_for_each_NIC()
    {
        await using var host = await TestHost.StartAsync("a");
        host.Device("a").Backend!.Counters(0).RxBytes = 7;
        var json = StatusTable.Json(host.Runtime.Nics);
        Assert.EndsWith("]\n", json, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(json);
        var nic = Assert.Single(document.RootElement.EnumerateArray());
        Assert.Equal("""
            name vm nic state link speedMbps device endpoint mac mtu attached attachments rxFrames rxBytes rxDropped txFrames txBytes txDropped guestFaults hostTroubles faults restarts lastFault
            """, string.Join(' ', nic.EnumerateObject().Select(m => m.Name)));
        Assert.Equal(("vm/a", "running", 7), (nic.GetProperty("name").GetString(), nic.GetProperty("state").GetString(), nic.GetProperty("rxBytes").GetInt64()));
        Assert.Equal(JsonValueKind.Null, nic.GetProperty("attached").ValueKind);
    }
}
