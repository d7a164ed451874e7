using System.Text;
using System.Text.Json;

namespace NicHost.Host.Tests.Commands;

/// <summary>Many VMs in one host. How long that takes is printed by <c>tests/Benchmarks -- host</c>.</summary>
public sealed class ScaleTests : IDisposable
{
    private const int Vms = 1000;

    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-scale-").FullName;

    private string Topology => Path.Combine(_folder, "topology.json");

    private string Control => Path.Combine(_folder, "control.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Thousand_VMs_start_change_and_stop_in_a_host_that_was_given_few_descriptors()
    {
        Write(Vms);
        // Each NIC takes two: a host that keeps the usual soft limit has not enough.
        await using var host = HostProcess.StartUnder(["prlimit", "--nofile=256:8192"], "run", Topology, "--control", Control, "--no-watch");
        await host.ReadyAsync();
        Assert.Contains($"ready: {Vms} of {Vms} NICs", host.Output, StringComparison.Ordinal);
        Assert.True(Directory.GetFiles($"/proc/{host.Id}/fd").Length > 2 * Vms);

        Write(Vms + 1);
        Assert.Equal($"+ VM vm{Vms:0000}", (await RunAsync("apply")).Split('\n')[0]);
        using var tree = JsonDocument.Parse(await RunAsync("inspect", "--json"));
        var vms = tree.RootElement.GetProperty("vms").EnumerateObject().ToArray();
        Assert.Equal(Enumerable.Range(0, Vms + 1).Select(i => $"vm{i:0000}"), vms.Select(vm => vm.Name));
        Assert.All(vms, vm => Assert.Equal("running", vm.Value.GetProperty("eth0").GetProperty("state").GetString()));

        host.Signal("TERM");
        Assert.Equal(0, await host.EndAsync());
        Assert.Empty(Directory.EnumerateFiles(_folder, "*.sock"));
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        await using var command = HostProcess.Start([.. arguments, "--control", Control]);
        Assert.True(await command.EndAsync() == 0, command.Output + command.Errors);
        return command.Output;
    }

    private void Write(int vms)
    {
        var text = new StringBuilder("""{ "vms": { """);
        for (var i = 0; i < vms; i++)
            text.Append(i == 0 ? "" : ", ").Append($$""" "vm{{i:0000}}": { "nics": { "eth0": { "device": { "kind": "virtio", "socket": "{{i}}.sock" }, "endpoint": { "kind": "consomme" } } } } """);
        File.WriteAllText(Topology, text.Append("} }").ToString());
    }
}
