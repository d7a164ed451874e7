using System.Text.Json;
using VerifyXunit;

namespace NicHost.Host.Tests.Commands;

/// <summary>A host that runs, and the file that it runs from.</summary>
public sealed class LiveChangeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-live-").FullName;

    private string Topology => Path.Combine(_folder, "topology.json");

    private string Control => Path.Combine(_folder, "control.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Edited_file_is_applied_and_what_it_leaves_alone_is_not_touched()
    {
        Write(Nic("a", "\"gate\", \"label\": \"one\""), Nic("b", "\"gate\", \"label\": \"stays\""), Nic("c", "\"null\""));
        await using var host = await StartAsync();
        // In place, as some editors write, then by rename, as others do.
        Write(Nic("a", "\"gate\", \"label\": \"two\""), Nic("b", "\"gate\", \"label\": \"stays\""), Nic("d", "\"null\""));
        await host.LoggedAsync("vm/d: Add done.");
        var vm = await InspectAsync();
        Assert.Equal(["a", "b", "d"], vm.EnumerateObject().Select(nic => nic.Name));
        Assert.Equal(("two", 1), Gate(vm, "a"));
        Assert.Equal(("stays", 0), Gate(vm, "b"));
        Assert.False(File.Exists(Path.Combine(_folder, "c.sock")));

        File.WriteAllText(Topology + ".new", Text(Nic("a", "\"gate\", \"label\": \"three\""), Nic("b", "\"gate\", \"label\": \"stays\"")));
        File.Move(Topology + ".new", Topology, overwrite: true);
        await host.LoggedAsync("vm/d: Remove done.");
        vm = await InspectAsync();
        Assert.Equal(("three", 2), Gate(vm, "a"));
        Assert.Equal(("stays", 0), Gate(vm, "b"));
        Assert.All(vm.EnumerateObject(), nic => Assert.Equal((0, "running"), (nic.Value.GetProperty("restarts").GetInt32(), nic.Value.GetProperty("state").GetString())));
    }

    [Fact]
    public async Task File_with_faults_leaves_everything_as_it_was_and_all_of_them_are_told()
    {
        Write(Nic("a", "\"gate\", \"label\": \"one\""));
        await using var host = await StartAsync();
        Write(Nic("a", "\"gate\", \"label\": 7"), Nic("b", "\"nul\""));
        await host.LoggedAsync("Did you mean \"null\"?");
        Assert.Contains("$.vms.vm.nics.a.endpoint.label", host.Errors, StringComparison.Ordinal);
        Assert.Equal(("one", 0), Gate(await InspectAsync(), "a"));

        var (code, output, errors) = await RunAsync("apply");
        Assert.Equal((1, ""), (code, output));
        Assert.Equal(["topology.json", "topology.json"], errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Path.GetFileName(line.Split(':')[0])));

        Write(Nic("a", "\"gate\", \"label\": \"two\""));
        await host.LoggedAsync("vm/a: Update done.");
        Assert.Equal(("two", 1), Gate(await InspectAsync(), "a"));
    }

    [Fact]
    public async Task Plan_is_printed_by_a_dry_run_and_carried_out_by_apply()
    {
        Write(Nic("a", "\"gate\", \"label\": \"one\""), Nic("b", "\"gate\""), Nic("c", "\"null\""));
        await using var host = await StartAsync("--no-watch");
        File.WriteAllText(Topology, Text(Nic("a", "\"gate\", \"label\": \"two\""), Nic("b", "\"loopback\""), Nic("d", "\"null\"", "\"mtu\": 9000,"))
            .Replace("{ \"vms\"", "{ \"unloadable\": true, \"vms\"", StringComparison.Ordinal));
        var (code, plan, _) = await RunAsync("apply", "--dry-run");
        Assert.Equal(0, code);
        (_, var json, _) = await RunAsync("apply", "--dry-run", "--json");
        Assert.Equal(("one", 0), Gate(await InspectAsync(), "a"));

        (code, var done, _) = await RunAsync("apply");
        Assert.Equal((0, plan), (code, done));
        Assert.Equal(("two", 1), Gate(await InspectAsync(), "a"));
        (_, var nothing, _) = await RunAsync("apply");
        await Verifier.Verify($"{plan}{nothing}{json}");
    }

    [Fact]
    public async Task Other_file_takes_the_place_of_the_hosts_own_only_if_it_holds()
    {
        Write(Nic("a", "\"gate\", \"label\": \"one\""));
        await using var host = await StartAsync("--no-watch");
        var before = File.ReadAllText(Topology);
        var other = Path.Combine(_folder, "an other.json");
        File.WriteAllText(other, Text(Nic("a", "\"gate\", \"label\": 3")));
        var (code, _, errors) = await RunAsync("apply", other);
        Assert.Equal(1, code);
        Assert.Contains("3 is not a string", errors, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(Topology));

        File.WriteAllText(other, Text(Nic("a", "\"gate\", \"label\": \"two\"")));
        Assert.Equal(0, (await RunAsync("apply", other, "--dry-run")).Code);
        Assert.Equal(before, File.ReadAllText(Topology));
        Assert.Equal(0, (await RunAsync("apply", other)).Code);
        Assert.Equal(File.ReadAllText(other), File.ReadAllText(Topology));
        Assert.Equal(("two", 1), Gate(await InspectAsync(), "a"));
    }

    [Fact]
    public async Task Change_that_the_host_refuses_is_told_with_an_exit_code()
    {
        Write(Nic("a", "\"gate\", \"label\": \"one\""));
        await using var host = await StartAsync("--no-watch");
        Write(Nic("a", "\"gate\", \"label\": \"two\", \"refuses\": true"));
        var (code, output, _) = await RunAsync("apply");
        Assert.Equal(1, code);
        Assert.Contains("failed: This endpoint refuses to change. Leave out \"refuses\".", output, StringComparison.Ordinal);
        Assert.Equal(("one", 0), Gate(await InspectAsync(), "a"));
    }

    [Fact]
    public async Task Hang_up_signal_is_an_apply()
    {
        Write(Nic("a", "\"gate\", \"label\": \"one\""));
        await using var host = await StartAsync("--no-watch");
        Write(Nic("a", "\"gate\", \"label\": \"two\""));
        host.Signal("HUP");
        await host.LoggedAsync("vm/a: Update done.");
        Assert.Equal(("two", 1), Gate(await InspectAsync(), "a"));
    }

    [Fact]
    public async Task Restart_starts_a_NIC_or_a_VM_from_the_beginning()
    {
        Write(Nic("a", "\"gate\", \"label\": \"one\""), Nic("b", "\"null\""));
        await using var host = await StartAsync("--no-watch");
        Write(Nic("a", "\"gate\", \"label\": \"two\""), Nic("b", "\"null\""));
        Assert.Equal(0, (await RunAsync("apply")).Code);
        Assert.Equal(("two", 1), Gate(await InspectAsync(), "a"));
        Assert.Equal((0, "vm/a was started anew.\n", ""), await RunAsync("restart", "vm/a"));
        Assert.Equal(("two", 0), Gate(await InspectAsync(), "a"));
        Assert.Equal((0, "vm was started anew.\n", ""), await RunAsync("restart", "vm"));
        Assert.True(File.Exists(Path.Combine(_folder, "b.sock")));
        Assert.Equal(1, (await RunAsync("restart", "vm/x")).Code);
    }

    [Fact]
    public async Task Descriptor_for_a_NIC_that_takes_none_is_refused_by_name()
    {
        Write(Nic("a", "\"loopback\""));
        await using var host = await StartAsync();
        Assert.Equal((1, "", "An endpoint of kind loopback takes no descriptors.\n"), await RunAsync("pass", "vm/a", "1"));
        Assert.Equal((1, "", "There is no \"vm/b\". NICs: vm/a.\n"), await RunAsync("pass", "vm/b", "1"));
        var (code, _, errors) = await RunAsync("pass", "vm/a", "9999");
        Assert.Equal((1, true), (code, errors.Contains("EBADF", StringComparison.Ordinal)));
    }

    /// <summary>Killed while a change stands at one of its stages: the next start has all that the file wants.</summary>
    [Theory]
    [InlineData("create")]
    [InlineData("start")]
    [InlineData("reconfigure")]
    [InlineData("stop")]
    public async Task Host_that_is_killed_in_the_middle_of_a_change_loses_nothing(string stage)
    {
        var gate = Path.Combine(_folder, stage);
        // A NIC that changes at the gate, one that comes, one that goes, one that stays.
        var before = stage is "stop" ? $"\"gate\", \"stop\": \"{gate}\"" : "\"gate\"";
        var after = stage is "stop" ? "\"loopback\"" : $"\"gate\", \"label\": \"new\", \"{stage}\": \"{gate}\"";
        Write(Nic("a", before), Nic("goes", "\"null\""), Nic("stays", "\"loopback\""));
        await using (var host = await StartAsync())
        {
            Write(Nic("a", after), Nic("comes", "\"null\""), Nic("stays", "\"loopback\""));
            await Eventually.True(() => File.Exists(gate + ".reached"), $"the change is at {stage}");
            host.Signal("KILL");
            await host.EndAsync();
        }
        File.WriteAllText(gate + ".go", "");
        await using var next = await StartAsync();
        var vm = await InspectAsync();
        Assert.Equal(["a", "comes", "stays"], vm.EnumerateObject().Select(nic => nic.Name));
        Assert.All(vm.EnumerateObject(), nic => Assert.Equal("running", nic.Value.GetProperty("state").GetString()));
        Assert.Equal(stage is "stop" ? "loopback" : "gate", vm.GetProperty("a").GetProperty("endpoint").GetProperty("kind").GetString());
        Assert.Equal((0, "Nothing differs from what runs.\n", ""), await RunAsync("apply", "--dry-run"));
        next.Signal("TERM");
        Assert.Equal(0, await next.EndAsync());
        Assert.DoesNotContain(Directory.EnumerateFiles(_folder), file => file.EndsWith(".sock", StringComparison.Ordinal) && !file.EndsWith("goes.sock", StringComparison.Ordinal));
    }

    private async Task<HostProcess> StartAsync(params string[] more)
    {
        var host = HostProcess.Start(["run", Topology, "--control", Control, "--plugins", Repository.File($"artifacts/test-plugins/{Repository.Configuration}"),
            "--plugins", Repository.File($"artifacts/plugins/{Repository.Configuration}"), .. more]);
        await host.ReadyAsync();
        return host;
    }

    private async Task<(int Code, string Output, string Errors)> RunAsync(string command, params string[] more)
    {
        await using var process = HostProcess.Start([command, .. more, "--control", Control]);
        var code = await process.EndAsync();
        return (code, process.Output.Replace(_folder, "FOLDER", StringComparison.Ordinal), process.Errors);
    }

    private async Task<JsonElement> InspectAsync()
    {
        var (code, output, errors) = await RunAsync("inspect", "--json", "vm");
        Assert.True(code == 0, errors);
        return JsonDocument.Parse(output).RootElement;
    }

    private static (string Label, int Changes) Gate(JsonElement vm, string nic)
    {
        var endpoint = vm.GetProperty(nic).GetProperty("endpoint");
        return (endpoint.GetProperty("label").GetString()!, endpoint.GetProperty("changes").GetInt32());
    }

    private void Write(params string[] nics) => File.WriteAllText(Topology, Text(nics));

    private static string Text(params string[] nics) => $$"""
        { "vms": { "vm": { "nics": {
            {{string.Join(",\n    ", nics)}}
        } } } }
        """;

    private static string Nic(string name, string endpoint, string more = "") =>
        $$"""  "{{name}}": { {{more}} "device": { "kind": "virtio", "socket": "{{name}}.sock" }, "endpoint": { "kind": {{endpoint}} } }""";
}
