using System.Text.Json;
using VerifyXunit;

namespace NicHost.Host.Tests.Commands;

public sealed class HostProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-run-").FullName;

    private string Control => Path.Combine(_folder, "control.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Host_serves_until_a_signal_and_leaves_nothing_behind(string signal)
    {
        await using var host = HostProcess.Start("run", Topology(), "--control", Control);
        await host.ReadyAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Control));
        Assert.True(File.Exists(Path.Combine(_folder, "a.sock")), host.Errors);
        Assert.True(File.Exists(Path.Combine(_folder, "b.sock")), host.Errors);

        host.Signal(signal);

        Assert.Equal(0, await host.EndAsync());
        Assert.Equal(["topology.json"], Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Host_prints_how_to_attach_to_each_NIC()
    {
        await using var host = HostProcess.Start("run", Topology(), "--control", Control);
        await host.ReadyAsync();
        await Verifier.Verify(host.Output.Replace(_folder, "FOLDER", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Questions_to_a_running_host_are_answered_for_people_and_for_programs()
    {
        await using var host = HostProcess.Start("run", Topology(), "--control", Control, "--loops", "1");
        await host.ReadyAsync();

        await using var inspect = HostProcess.Start("inspect", "--json", "--control", Control);
        Assert.Equal(0, await inspect.EndAsync());
        using var tree = JsonDocument.Parse(inspect.Output);
        var nics = tree.RootElement.GetProperty("vms").GetProperty("vm");
        Assert.Equal("running", nics.GetProperty("a").GetProperty("state").GetString());
        Assert.Equal("loopback", nics.GetProperty("b").GetProperty("endpoint").GetProperty("kind").GetString());
        Assert.Equal(2, tree.RootElement.GetProperty("loops").GetProperty("nic-loop-0").GetProperty("queues").GetInt32());

        await using var text = HostProcess.Start("inspect", "vm/a", "--control", Control);
        Assert.Equal(0, await text.EndAsync());
        Assert.StartsWith("a\n  state: running\n", text.Output, StringComparison.Ordinal);

        await using var status = HostProcess.Start("status", "vm", "--json", "--control", Control);
        Assert.Equal(0, await status.EndAsync());
        using var list = JsonDocument.Parse(status.Output);
        Assert.Equal(["vm/a", "vm/b"], list.RootElement.EnumerateArray().Select(nic => nic.GetProperty("name").GetString()));

        await using var metrics = HostProcess.Start("metrics", "--control", Control);
        Assert.Equal(0, await metrics.EndAsync());
        Assert.Contains("nichost_nic_link_up{vm=\"vm\",nic=\"a\"} 1\n", metrics.Output, StringComparison.Ordinal);

        await using var nobody = HostProcess.Start("status", "wm", "--control", Control);
        Assert.Equal(1, await nobody.EndAsync());

        await using var unknown = HostProcess.Start("inspect", "vm/c", "--control", Control);
        Assert.Equal(1, await unknown.EndAsync());
        Assert.Equal("There is no \"vm/c\". NICs: vm/a, vm/b.\n", unknown.Errors);
    }

    [Fact]
    public async Task Host_that_was_killed_does_not_stand_in_the_way_of_the_next()
    {
        await using (var killed = HostProcess.Start("run", Topology(), "--control", Control))
        {
            await killed.ReadyAsync();
            killed.Signal("KILL");
            await killed.EndAsync();
        }
        Assert.True(File.Exists(Control));
        await using var next = HostProcess.Start("run", Topology(), "--control", Control);
        await next.ReadyAsync();
        Assert.Contains("ready: 2 of 2 NICs\n", next.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Second_host_with_the_same_control_socket_is_refused()
    {
        await using var first = HostProcess.Start("run", Topology(), "--control", Control);
        await first.ReadyAsync();
        await using var second = HostProcess.Start("run", Topology(), "--control", Control);
        Assert.Equal(4, await second.EndAsync());
        Assert.Equal($"The control socket {Control} is in use by process {first.Id}. Stop that host. Choose another socket with --control PATH, or do without with --no-control.\n", second.Errors);
        Assert.True(File.Exists(Path.Combine(_folder, "a.sock")), "the first host's sockets are left alone");
    }

    [Fact]
    public async Task Host_without_a_control_socket_is_left_alone()
    {
        await using var host = HostProcess.Start("run", Topology(), "--control", Control, "--no-control");
        await host.ReadyAsync();
        Assert.False(File.Exists(Control));
        await using var inspect = HostProcess.Start("inspect", "--control", Control);
        Assert.Equal(3, await inspect.EndAsync());
    }

    [Fact]
    public async Task Topology_with_a_fault_is_not_started()
    {
        var path = Path.Combine(_folder, "bad.json");
        await File.WriteAllTextAsync(path, "{ \"vms\": { \"A\": {} } }");
        foreach (var command in new[] { "run", "check" })
        {
            await using var host = HostProcess.Start(command, path);
            Assert.Equal(1, await host.EndAsync());
            Assert.Equal($"""
                {path}:1:12 $.vms.A: "A" is no name for a VM. Use 1 to 64 of a-z 0-9 - _ . and start with a letter or digit.
                {path}:1:12 $.vms.A: "nics" is missing. Add "nics".

                """, host.Output + host.Errors);
        }
    }

    private string Topology()
    {
        var path = Path.Combine(_folder, "topology.json");
        File.WriteAllText(path, """
            {
              "vms": {
                "vm": {
                  "nics": {
                    "a": { "device": { "kind": "virtio", "socket": "a.sock", "queues": 2 }, "endpoint": { "kind": "consomme" } },
                    "b": { "mtu": 9000, "device": { "kind": "virtio", "socket": "b.sock" }, "endpoint": { "kind": "loopback" } }
                  }
                }
              }
            }
            """);
        return path;
    }
}
