namespace NicHost.Host.Tests.Commands;

/// <summary>A NIC that moves between endpoints in a running host, with a guest that checks its network before and after.</summary>
public sealed class MoveTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-move-").FullName;

    private string Topology => Path.Combine(_folder, "topology.json");

    private string Control => Path.Combine(_folder, "control.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task NIC_that_went_to_loopback_and_back_serves_its_guest_as_before()
    {
        const string nat = """{ "kind": "consomme", "hostLoopback": true, "dns": { "records": [{ "name": "here.test", "value": "10.0.2.2" }] } }""";
        Write(nat);
        await using var host = HostProcess.Start("run", Topology, "--control", Control, "--no-watch");
        await host.ReadyAsync();
        await ProbeAsync(host);
        foreach (var endpoint in new[] { """{ "kind": "loopback" }""", nat })
        {
            Write(endpoint);
            await using var apply = HostProcess.Start("apply", "--control", Control);
            Assert.True(await apply.EndAsync() == 0, apply.Output + apply.Errors);
            Assert.Contains("> vm/nic: is plugged into another endpoint", apply.Output, StringComparison.Ordinal);
        }
        await ProbeAsync(host);
        await using var inspect = HostProcess.Start("inspect", "vm/nic", "--control", Control);
        await inspect.EndAsync();
        Assert.Contains("  restarts: 0\n", inspect.Output, StringComparison.Ordinal);
        Assert.Contains("  guestFaults: 0\n", inspect.Output, StringComparison.Ordinal);
    }

    private async Task ProbeAsync(HostProcess host)
    {
        await using var probe = HostProcess.Start("probe", "vm/nic", "--control", Control);
        Assert.True(await probe.EndAsync() == 0, probe.Output + probe.Errors + host.Errors);
    }

    private void Write(string endpoint) => File.WriteAllText(Topology,
        $$"""{ "vms": { "vm": { "nics": { "nic": { "device": { "kind": "virtio", "socket": "nic.sock" }, "endpoint": {{endpoint}} } } } } }""");
}
