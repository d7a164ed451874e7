using System.Text.Json;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Loops;
using NicHost.Host.Machines;
using NicHost.Host.Tests.Commands;

namespace NicHost.Host.Tests.Machines;

public sealed class InspectRoundTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-round-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Loop_that_hangs_costs_one_deadline_however_many_NICs_it_has_and_the_others_answer()
    {
        // Two loops, NICs in turns.
        string[] names = ["a", "b", "c", "d", "e", "f"];
        await using var host = TestHost.Create(QueueThreading.SharedLoop, names);
        await host.StartAsync();
        using var go = new ManualResetEventSlim();
        using var hangs = new ManualResetEventSlim();
        var hung = host.Nic("a").Loop;
        hung!.Post(() =>
        {
            hangs.Set();
            go.Wait();
        });
        hangs.Wait();
        try
        {
            var asking = host.Runtime.InspectAsync("");
            foreach (var nic in names.Where(nic => host.Nic(nic).Loop != hung))
            {
                await Eventually.True(() => host.Device(nic).Inspections > 0, "the other loop is asked");
                // What is posted now runs when the answer is there.
                await host.Device(nic).Loop.InvokeAsync(() => 0);
            }
            Assert.False(asking.IsCompleted);
            host.Time.Advance(InspectRound.Limit);
            var vm = (await asking)!.Children[^1].Children.Single();
            Assert.Equal(names, vm.Children.Select(nic => nic.Name));
            Assert.Equal(3, names.Count(nic => host.Nic(nic).Loop == hung));
            foreach (var nic in vm.Children) Assert.Equal(host.Nic(nic.Name).Loop == hung, IsUnresponsive(nic));
        }
        finally { go.Set(); }
        Assert.DoesNotContain((await host.Runtime.InspectAsync("vm"))!.Children, IsUnresponsive);
    }

    [Fact]
    public async Task Host_with_many_NICs_on_a_loop_that_hangs_is_inspected_all_the_same()
    {
        const int nics = 60;
        var (topology, control) = (Path.Combine(_folder, "topology.json"), Path.Combine(_folder, "control.sock"));
        Write(topology, nics, "");
        await using var host = HostProcess.Start("run", topology, "--control", control, "--loops", "2", "--no-watch",
            "--plugins", Repository.File($"artifacts/plugins/{Repository.Configuration}"), "--plugins", Repository.File($"artifacts/test-plugins/{Repository.Configuration}"));
        await host.ReadyAsync();
        // One NIC's change stops its loop: it waits there until it is let go.
        Write(topology, nics, ", \"reconfigure\": \"turnstile\"");
        await using var apply = HostProcess.Start("apply", "--control", control);
        await Eventually.True(() => File.Exists(Path.Combine(_folder, "turnstile.reached")), "the loop stands still");

        await using var inspect = HostProcess.Start("inspect", "vm", "--json", "--control", control);
        Assert.Equal(0, await inspect.EndAsync());
        await using var status = HostProcess.Start("status", "--json", "--control", control);
        Assert.Equal(0, await status.EndAsync());
        File.WriteAllText(Path.Combine(_folder, "turnstile.go"), "");
        Assert.True(await apply.EndAsync() == 0, apply.Output + apply.Errors);

        var shown = JsonDocument.Parse(inspect.Output).RootElement;
        Assert.Equal(nics, shown.EnumerateObject().Count());
        Assert.Equal(nics / 2, shown.EnumerateObject().Count(nic => nic.Value.TryGetProperty("unresponsive", out _)));
        Assert.Equal(nics, JsonDocument.Parse(status.Output).RootElement.GetArrayLength());
    }

    private static bool IsUnresponsive(InspectNode nic) => nic.Children.Any(child => child.Name == "unresponsive");

    private static void Write(string topology, int nics, string options)
    {
        var all = Enumerable.Range(0, nics).Select(i =>
            $$"""{{'"'}}n{{i:00}}": { "device": { "kind": "virtio", "socket": "{{i}}.sock" }, "endpoint": { "kind": "gate"{{(i == 0 ? options : "")}} } }""");
        File.WriteAllText(topology, $$"""{ "vms": { "vm": { "nics": { {{string.Join(", ", all)}} } } } }""");
    }
}
