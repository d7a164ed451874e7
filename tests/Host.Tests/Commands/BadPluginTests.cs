using System.Text.Json;
using NicHost.Host.Tests.Plugins;

namespace NicHost.Host.Tests.Commands;

/// <summary>A host process with plugins that misbehave beside one that does not.</summary>
public sealed class BadPluginTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-bad-").FullName;

    private string Control => Path.Combine(_folder, "control.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Plugins_that_throw_anywhere_end_their_own_NICs_only()
    {
        var trap = Path.Combine(_folder, "trap");
        File.WriteAllText(trap, "");
        var topology = Path.Combine(_folder, "topology.json");
        File.WriteAllText(topology, $$"""
            { "vms": {
              "good": { "nics": { "a": { "device": { "kind": "virtio", "socket": "good.sock" }, "endpoint": { "kind": "gate", "label": "well" } } } },
              "bad": { "nics": {
                "create": { "device": { "kind": "virtio", "socket": "create.sock" }, "endpoint": { "kind": "throws-in-create", "whileExists": "{{trap}}" } },
                "loop": { "restart": { "firstDelaySeconds": 0.01, "limit": 3 }, "device": { "kind": "virtio", "socket": "loop.sock" }, "endpoint": { "kind": "throws-on-loop" } },
                "factory": { "device": { "kind": "virtio", "socket": "factory.sock" }, "endpoint": { "kind": "never" } },
                "fine": { "device": { "kind": "virtio", "socket": "fine.sock" }, "endpoint": { "kind": "null" } }
              } }
            } }
            """);
        using var root = new PluginRoot();
        root.Drop(PluginRoot.Output("ThrowsInConstructor"), "ThrowsInConstructor/1.0.0");
        await using var host = HostProcess.Start("run", topology, "--control", Control, "--plugins", root.Path,
            "--plugins", Repository.File($"artifacts/test-plugins/{Repository.Configuration}"), "--plugins", Repository.File($"artifacts/plugins/{Repository.Configuration}"));
        await host.ReadyAsync();
        await host.LoggedAsync("bad/loop: given up after 3 restarts");
        var bad = await InspectAsync("bad");
        Assert.Equal(("givenUp", 4, 3), State(bad.GetProperty("loop")));
        Assert.Contains("This endpoint throws on its loop.", bad.GetProperty("loop").GetProperty("lastFault").GetString(), StringComparison.Ordinal);
        Assert.Equal("faulted", bad.GetProperty("create").GetProperty("state").GetString());
        Assert.Equal("faulted", bad.GetProperty("factory").GetProperty("state").GetString());
        Assert.Contains("This factory cannot be made.", bad.GetProperty("factory").GetProperty("lastFault").GetString(), StringComparison.Ordinal);
        Assert.Equal(("running", 0, 0), State(bad.GetProperty("fine")));
        var good = (await InspectAsync("good")).GetProperty("a");
        Assert.Equal(("running", 0, 0), State(good));
        Assert.Equal("well", good.GetProperty("endpoint").GetProperty("label").GetString());

        // What it fell over is gone: the next try is a good one.
        File.Delete(trap);
        await Eventually.True(() => File.Exists(Path.Combine(_folder, "create.sock")), "the NIC is there");
        host.Signal("TERM");
        Assert.Equal(0, await host.EndAsync());
    }

    private static (string State, int Faults, int Restarts) State(JsonElement nic) =>
        (nic.GetProperty("state").GetString()!, nic.GetProperty("faults").GetInt32(), nic.GetProperty("restarts").GetInt32());

    private async Task<JsonElement> InspectAsync(string vm)
    {
        await using var process = HostProcess.Start("inspect", vm, "--json", "--control", Control);
        Assert.Equal(0, await process.EndAsync());
        return JsonDocument.Parse(process.Output).RootElement;
    }
}
