using NicHost.Host.Tests.Commands;

namespace NicHost.Host.Tests.Plugins;

/// <summary>The test doubles that come as plugins do what tests rely on.</summary>
public sealed class TestEndpointTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-doubles-").FullName;

    private string Control => Path.Combine(_folder, "control.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Gate_stops_a_host_at_each_stage_until_it_is_told_to_go_on()
    {
        await using var host = Run("""{ "kind": "gate", "create": "create", "start": "start", "stop": "stop", "label": "one" }""");
        await GoAsync("create");
        await GoAsync("start");
        await host.ReadyAsync();

        await using var inspect = HostProcess.Start("inspect", "vm/nic", "--control", Control);
        Assert.Equal(0, await inspect.EndAsync());
        Assert.Contains("label: one\n", inspect.Output, StringComparison.Ordinal);

        host.Signal("TERM");
        await GoAsync("stop");
        Assert.Equal(0, await host.EndAsync());
    }

    [Fact]
    public async Task Endpoint_that_throws_on_its_loop_faults_its_NIC()
    {
        await using var host = Run("""{ "kind": "throws-on-loop", "afterMilliseconds": 1 }""");
        await Eventually.True(() => host.Errors.Contains("This endpoint throws on its loop.", StringComparison.Ordinal), "the fault is logged");
    }

    [Fact]
    public async Task Endpoint_that_cannot_be_made_is_told_and_keeps_no_host_from_running()
    {
        await using var host = Run("""{ "kind": "throws-in-create" }""");
        await host.ReadyAsync();
        Assert.Contains("$.vms.vm.nics.nic.endpoint: The plugin cannot make it: InvalidOperationException: This endpoint cannot be made.", host.Errors, StringComparison.Ordinal);
        Assert.Contains("ready: 0 of 1 NICs", host.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endpoint_whose_end_never_comes_does_not_keep_the_host_from_its_own()
    {
        await using var host = Run("""{ "kind": "hangs-in-stop" }""");
        await host.ReadyAsync();
        host.Signal("TERM");
        Assert.Equal(0, await host.EndAsync());
    }

    private async Task GoAsync(string stage)
    {
        await Eventually.True(() => File.Exists(Path.Combine(_folder, stage + ".reached")), $"{stage} is reached");
        await File.WriteAllBytesAsync(Path.Combine(_folder, stage + ".go"), []);
    }

    private HostProcess Run(string endpoint)
    {
        var path = Path.Combine(_folder, "topology.json");
        File.WriteAllText(path, $$"""
            { "vms": { "vm": { "nics": { "nic": { "device": { "kind": "virtio", "socket": "nic.sock" }, "endpoint": {{endpoint}} } } } } }
            """);
        return HostProcess.Start("run", path, "--control", Control,
            "--plugins", Repository.File($"artifacts/plugins/{Repository.Configuration}"),
            "--plugins", Repository.File($"artifacts/test-plugins/{Repository.Configuration}"));
    }
}
