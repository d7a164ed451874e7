using System.Text.Json;
using NicHost.Host.Plugins;
using NicHost.Host.Tests.Commands;
using VerifyXunit;

namespace NicHost.Host.Tests.Plugins;

/// <summary>Plugins that come and go while a real host runs.</summary>
public sealed class DropInTests : IDisposable
{
    private readonly PluginRoot _root = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-drop-").FullName;

    private string Control => Path.Combine(_folder, "control.sock");

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Running_host_offers_what_is_renamed_into_its_root_and_two_versions_side_by_side()
    {
        _root.Drop(PluginRoot.Shipped("Virtio"), "Virtio/0.1.0");
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
        await using var host = HostProcess.Start("run", Topology("gate@1.0.0"), "--control", Control, "--plugins", _root.Path);
        await host.ReadyAsync();

        _root.Drop(PluginRoot.Output("Gate"), "Gate/2.0.0");
        _root.Drop(PluginRoot.Output("ThrowsInConstructor"), "Broken/1.0.0");
        await Eventually.True(() => host.Errors.Contains("Plugin Broken 1.0.0 in ", StringComparison.Ordinal) && host.Errors.Contains("Plugin Gate 2.0.0 in ", StringComparison.Ordinal), "both are seen");

        var (code, text) = await PluginsAsync();
        Assert.Equal(1, code);
        await Verifier.Verify(_root.Clean(text));

        var report = PluginReport.Parse((await PluginsAsync("--json")).Output);
        Assert.Equal(["vm"], report.Plugins.Single(plugin => plugin is { Name: "Gate", Version: "1.0.0" }).Vms);
        Assert.Empty(report.Plugins.Single(plugin => plugin is { Name: "Gate", Version: "2.0.0" }).Vms);
    }

    [Fact]
    public async Task Folder_that_is_copied_in_is_not_offered_until_the_host_is_told_to_look()
    {
        _root.Drop(PluginRoot.Shipped("Virtio"), "Virtio/0.1.0");
        _root.Drop(PluginRoot.Output("HangsInStop"), "HangsInStop/1.0.0");
        await using var host = HostProcess.Start("run", Topology("null"), "--control", Control, "--plugins", _root.Path);
        await host.ReadyAsync();

        var target = Directory.CreateDirectory(_root.At("Gate/1.0.0")).FullName;
        File.Copy(Path.Combine(PluginRoot.Output("Gate"), "Gate.deps.json"), Path.Combine(target, "Gate.deps.json"));
        await File.WriteAllBytesAsync(Path.Combine(target, "Gate.dll"), (await File.ReadAllBytesAsync(Path.Combine(PluginRoot.Output("Gate"), "Gate.dll")))[..4000]);
        // The next one is seen, so this one could have been, too.
        _root.Drop(PluginRoot.Output("HangsInStop"), "HangsInStop/2.0.0");
        await Eventually.True(() => host.Errors.Contains("Plugin HangsInStop 2.0.0 in ", StringComparison.Ordinal), "the whole one is seen");
        Assert.Contains("so that it may be half-copied", Reason(await ReportAsync(), "Gate"), StringComparison.Ordinal);

        Assert.Contains("Gate.dll is cut off", Reason(await ReportAsync("--rescan"), "Gate"), StringComparison.Ordinal);
        Assert.DoesNotContain("Gate 1.0.0 in " + target + " is offered", host.Errors, StringComparison.Ordinal);

        File.Delete(Path.Combine(target, "Gate.dll"));
        File.Copy(Path.Combine(PluginRoot.Output("Gate"), "Gate.dll"), Path.Combine(target, "Gate.dll"));
        Assert.Equal("active", Line(await ReportAsync("--rescan"), "Gate").Status);
        Assert.Equal(0, (await PluginsAsync()).Code);
    }

    [Fact]
    public async Task Plugin_that_was_dropped_in_serves_a_NIC_of_the_topology_that_runs()
    {
        _root.Drop(PluginRoot.Shipped("Virtio"), "Virtio/0.1.0");
        var topology = Topology("null");
        await using var host = HostProcess.Start("run", topology, "--control", Control, "--plugins", _root.Path);
        await host.ReadyAsync();
        // Wanted before it is there: that changes nothing, and is told with what there is.
        Topology("gate");
        await host.LoggedAsync("Endpoint kind \"gate\" is not there. Known kinds: loopback, null.");

        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
        await host.LoggedAsync("Plugin Gate 1.0.0 in " + _root.At("Gate/1.0.0") + " is offered: gate.");
        await using var apply = HostProcess.Start("apply", "--control", Control);
        Assert.True(await apply.EndAsync() == 0, apply.Output + apply.Errors);
        Assert.Contains("> vm/nic: is plugged into another endpoint", apply.Output, StringComparison.Ordinal);
        Assert.Equal(["vm"], Line(await ReportAsync(), "Gate").Vms);
        await using var inspect = HostProcess.Start("inspect", "vm/nic", "--control", Control);
        Assert.Equal(0, await inspect.EndAsync());
        Assert.Contains("    kind: gate\n", inspect.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_without_a_host_looks_for_itself_and_with_a_named_one_does_not()
    {
        await using var look = HostProcess.Start("plugins", "--json", "--plugins", _root.Path);
        Assert.Equal(0, await look.EndAsync());
        using var json = JsonDocument.Parse(look.Output);
        Assert.Equal("built-in", json.RootElement.GetProperty("plugins")[0].GetProperty("name").GetString());

        await using var ask = HostProcess.Start("plugins", "--control", Control);
        Assert.Equal(3, await ask.EndAsync());
        Assert.Contains("No host answers at " + Control, ask.Errors, StringComparison.Ordinal);
    }

    private static PluginLine Line(PluginReport report, string name) => report.Plugins.Single(plugin => plugin.Name == name);

    private static string Reason(PluginReport report, string name) => Line(report, name).Reason!;

    private async Task<PluginReport> ReportAsync(params string[] arguments) => PluginReport.Parse((await PluginsAsync(["--json", .. arguments])).Output);

    private async Task<(int Code, string Output)> PluginsAsync(params string[] arguments)
    {
        await using var command = HostProcess.Start(["plugins", "--control", Control, .. arguments]);
        return (await command.EndAsync(), command.Output);
    }

    private string Topology(string endpoint)
    {
        var path = Path.Combine(_folder, "topology.json");
        File.WriteAllText(path, $$"""
            { "vms": { "vm": { "nics": { "nic": { "device": { "kind": "virtio", "socket": "nic.sock" }, "endpoint": { "kind": "{{endpoint}}" } } } } } }
            """);
        return path;
    }
}
