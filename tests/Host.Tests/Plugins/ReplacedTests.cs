using NicHost.Host.Plugins;
using NicHost.Host.Tests.Commands;

namespace NicHost.Host.Tests.Plugins;

/// <summary>A real host, and builds that come into the place of those that it has loaded.</summary>
public sealed class ReplacedTests : IDisposable
{
    // What the endpoint calls its counter: the one thing that the two builds differ in.
    private const string First = "changes";
    private const string Second = "swapped";

    private readonly PluginRoot _root = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-replaced-").FullName;

    private string Control => Path.Combine(_folder, "control.sock");

    private string Topology => Path.Combine(_folder, "topology.json");

    public ReplacedTests()
    {
        _root.Drop(PluginRoot.Shipped("Virtio"), "Virtio/0.1.0");
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
    }

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Unloadable_plugin_goes_with_its_last_NIC_and_a_new_build_in_its_place_is_loaded_then()
    {
        Write(unloadable: true, "gate", "null");
        await using var host = await StartAsync();
        Assert.Equal(First, await CounterAsync());
        Assert.Equal(("loaded", "active"), State(await ReportAsync(), "Gate"));

        Write(unloadable: true, "null");
        await host.LoggedAsync("Plugin Gate 1.0.0 in " + _root.At("Gate/1.0.0") + " is unloaded");
        var report = await ReportAsync();
        Assert.Equal(("unloaded", "active"), State(report, "Gate"));
        Assert.False(Line(report, "Gate").Loaded);
        Assert.Equal(("loaded", "active"), State(report, "Virtio"));

        _root.Swap(_root.Rebuild(PluginRoot.Output("Gate"), "Gate.dll", First, Second), "Gate/1.0.0");
        await Eventually.True(() => Count(host.Errors, "Plugin Gate 1.0.0 in " + _root.At("Gate/1.0.0") + " is unloaded") == 2, "the new build is tried and left alone");
        Write(unloadable: true, "gate", "null");
        await Eventually.True(() => Count(host.Errors, "vm/a: Add done.") == 2, "the NIC is back");
        Assert.Equal(Second, await CounterAsync());

        // Once more, while it is in use: that waits for the NIC's end.
        _root.Swap(PluginRoot.Output("Gate"), "Gate/1.0.0");
        await host.LoggedAsync("Plugin Gate 1.0.0 in " + _root.At("Gate/1.0.0") + " was replaced while it is loaded: ");
        report = await ReportAsync();
        Assert.Equal(("loaded", "replaced"), State(report, "Gate"));
        Assert.EndsWith("The new one is loaded once no NIC uses the old one.", Line(report, "Gate").Reason, StringComparison.Ordinal);
        await RunAsync("restart", "vm/a");
        Assert.Equal(Second, await CounterAsync());
        Assert.Contains("vm was started anew", await RunAsync("restart", "vm"), StringComparison.Ordinal);
        Assert.Equal(First, await CounterAsync());
        Assert.Equal(("loaded", "active"), State(await ReportAsync(), "Gate"));
    }

    [Fact]
    public async Task Build_under_a_version_that_is_loaded_is_noticed_and_not_used()
    {
        Write(unloadable: false, "gate");
        await using var host = await StartAsync();
        _root.Swap(_root.Rebuild(PluginRoot.Output("Gate"), "Gate.dll", First, Second), "Gate/1.0.0");
        await host.LoggedAsync("Plugin Gate 1.0.0 in " + _root.At("Gate/1.0.0") + " was replaced while it is loaded: ");
        var report = await ReportAsync();
        Assert.Equal(("loaded", "replaced"), State(report, "Gate"));
        Assert.StartsWith("Its folder holds another build than the one that was loaded from it", Line(report, "Gate").Reason, StringComparison.Ordinal);
        Assert.EndsWith("Give the new build a version folder of its own and put the old one back, or start the host anew.", Line(report, "Gate").Reason, StringComparison.Ordinal);
        Assert.Equal(["vm"], Line(report, "Gate").Vms);
        await RunAsync("restart", "vm");
        Assert.Equal(First, await CounterAsync());

        // As it says: another folder for the new one, the old one back.
        Directory.Move(_root.At("Gate/1.0.0"), _root.At("Gate/1.0.1"));
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
        await host.LoggedAsync("Plugin Gate 1.0.1 in " + _root.At("Gate/1.0.1") + " is offered");
        report = await ReportAsync();
        Assert.Equal(["active", "superseded"], report.Plugins.Where(plugin => plugin.Name == "Gate").Select(plugin => plugin.Status));
        await RunAsync("restart", "vm");
        Assert.Equal(Second, await CounterAsync());
    }

    [Fact]
    public async Task Files_that_were_copied_over_those_of_a_loaded_version_are_noticed_by_a_rescan()
    {
        Write(unloadable: false, "gate");
        await using var host = await StartAsync();
        var build = _root.Rebuild(PluginRoot.Output("Gate"), "Gate.dll", First, Second);
        // As "install" does it: the old file goes, a new one comes. To write into the old one would change what is mapped.
        File.Delete(_root.At("Gate/1.0.0/Gate.dll"));
        File.Copy(Path.Combine(build, "Gate.dll"), _root.At("Gate/1.0.0/Gate.dll"));
        Assert.Equal(("loaded", "replaced"), State(await ReportAsync("--rescan"), "Gate"));
        File.Delete(_root.At("Gate/1.0.0/Gate.dll"));
        File.Copy(Path.Combine(PluginRoot.Output("Gate"), "Gate.dll"), _root.At("Gate/1.0.0/Gate.dll"));
        Assert.Equal(("loaded", "active"), State(await ReportAsync("--rescan"), "Gate"));
    }

    [Fact]
    public async Task Right_to_write_that_is_allowed_while_the_host_runs_counts_at_once_and_so_does_its_end()
    {
        using var loose = new PluginRoot();
        loose.Drop(PluginRoot.Output("HangsInStop"), "HangsInStop/1.0.0");
        File.SetUnixFileMode(loose.Path, File.GetUnixFileMode(loose.Path) | UnixFileMode.OtherWrite);
        Write(unloadable: false, "null");
        await using var host = await StartAsync("--plugins", loose.Path);
        Assert.Contains("may be written by", Line(await ReportAsync(), Path.GetFileName(loose.Path)).Reason, StringComparison.Ordinal);

        Write("\"allowWritablePlugins\": true,", "gate", "hangs-in-stop");
        await host.LoggedAsync("vm/b: Add done.");
        var report = await ReportAsync();
        Assert.Equal(("loaded", "active"), State(report, "HangsInStop"));
        Assert.Equal(["vm"], Line(report, "HangsInStop").Vms);

        // Who has it, keeps it; nobody else gets it.
        Write("", "gate", "hangs-in-stop", "null");
        await Eventually.True(() => Count(host.Errors, "vm/c: Add done.") == 2, "the topology is applied");
        Assert.Equal(("loaded", "removed"), State(await ReportAsync(), "HangsInStop"));
        Assert.StartsWith("Its root is refused now. VMs that use it keep it", Line(await ReportAsync(), "HangsInStop").Reason, StringComparison.Ordinal);
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private static PluginLine Line(PluginReport report, string name) => report.Plugins.Single(plugin => plugin.Name == name);

    private static (string Code, string Status) State(PluginReport report, string name) => (Line(report, name).Code, Line(report, name).Status);

    private async Task<string> CounterAsync()
    {
        var text = await RunAsync("inspect", "vm/a");
        return text.Contains($"{First}: 0", StringComparison.Ordinal) ? First : text.Contains($"{Second}: 0", StringComparison.Ordinal) ? Second : text;
    }

    private async Task<PluginReport> ReportAsync(params string[] arguments) => PluginReport.Parse(await RunAsync(["plugins", "--json", .. arguments]));

    private async Task<string> RunAsync(params string[] arguments)
    {
        await using var command = HostProcess.Start([.. arguments, "--control", Control]);
        await command.EndAsync();
        return command.Output;
    }

    private async Task<HostProcess> StartAsync(params string[] arguments)
    {
        var host = HostProcess.Start(["run", Topology, "--control", Control, "--plugins", _root.Path, .. arguments]);
        await host.ReadyAsync();
        return host;
    }

    private void Write(bool unloadable, params string[] endpoints) => Write(unloadable ? "\"unloadable\": true," : "", endpoints);

    /// <summary>One NIC for each: a has the gate, c nothing, b the other.</summary>
    private void Write(string settings, params string[] endpoints)
    {
        var nics = endpoints.Select(kind => (Name: kind == "gate" ? "a" : kind == "null" ? "c" : "b", kind))
            .Select(nic => $$"""{{'"'}}{{nic.Name}}": { "device": { "kind": "virtio", "socket": "{{nic.Name}}.sock" }, "endpoint": { "kind": "{{nic.kind}}" } }""");
        File.WriteAllText(Topology + ".new", $$"""{ {{settings}} "vms": { "vm": { "nics": { {{string.Join(", ", nics)}} } } } }""");
        File.Move(Topology + ".new", Topology, overwrite: true);
    }
}
