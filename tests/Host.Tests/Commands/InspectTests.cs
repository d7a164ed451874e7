using System.Text.Json;
using VerifyXunit;

namespace NicHost.Host.Tests.Commands;

/// <summary>What <c>nichost inspect</c> shows of the plugins that ship, in a host that runs.</summary>
public sealed class InspectTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-inspect-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Inspect_of_a_VM_shows_its_NICs_down_to_devices_and_endpoints()
    {
        var (topology, control) = (Path.Combine(_folder, "topology.json"), Path.Combine(_folder, "control.sock"));
        File.WriteAllText(topology, """
            { "vms": {
              "web": { "nics": {
                "outside": { "device": { "kind": "virtio", "socket": "outside.sock", "queues": 2 },
                             "endpoint": { "kind": "consomme", "dns": { "servers": ["192.0.2.53"], "records": [{ "name": "a.example", "value": "192.0.2.1" }] } } },
                "echo":    { "mtu": 9000, "device": { "kind": "virtio", "socket": "echo.sock", "mode": "client" }, "endpoint": { "kind": "loopback" } },
                "unused":  { "link": "down", "device": { "kind": "virtio", "socket": "unused.sock" }, "endpoint": { "kind": "null" } } } },
              "other": { "nics": {} }
            } }
            """);
        await using var host = HostProcess.Start("run", topology, "--control", control);
        await host.ReadyAsync();
        await using var inspect = HostProcess.Start("inspect", "web", "--control", control);
        Assert.True(await inspect.EndAsync() == 0, inspect.Errors);
        await using var metrics = HostProcess.Start("metrics", "--json", "--control", control);
        Assert.True(await metrics.EndAsync() == 0, metrics.Errors);
        using var json = JsonDocument.Parse(metrics.Output);
        var attached = json.RootElement.EnumerateArray().Single(family => family.GetProperty("name").GetString() == "nichost_nic_attached");
        Assert.Equal(["echo 0", "outside 0", "unused 0"], attached.GetProperty("samples").EnumerateArray()
            .Select(sample => $"{sample.GetProperty("labels").GetProperty("nic").GetString()} {sample.GetProperty("value")}").Order(StringComparer.Ordinal));
        await Verifier.Verify(inspect.Output.Replace(_folder, "FOLDER", StringComparison.Ordinal));
    }
}
