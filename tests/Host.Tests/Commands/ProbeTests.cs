namespace NicHost.Host.Tests.Commands;

/// <summary>The two commands that attach the built-in probe guest, against the real plugins.</summary>
public sealed class ProbeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-probe-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Demo_passes_its_checklist_and_leaves_nothing_behind()
    {
        await using var demo = HostProcess.Start("demo", Topology());
        Assert.True(await demo.EndAsync() == 0, demo.Output + demo.Errors);
        Assert.Contains("9 of 9 checks passed", demo.Output, StringComparison.Ordinal);
        Assert.Equal(["topology.json"], Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Probe_attaches_to_a_running_host_again_and_again()
    {
        var control = Path.Combine(_folder, "control.sock");
        await using var host = HostProcess.Start("run", Topology(), "--control", control);
        await host.ReadyAsync();
        for (var i = 0; i < 2; i++)
        {
            await using var probe = HostProcess.Start("probe", "web/eth0", "--control", control);
            Assert.True(await probe.EndAsync() == 0, probe.Output + probe.Errors + host.Errors);
        }
        await using var inspect = HostProcess.Start("inspect", "web/eth0", "--control", control);
        await inspect.EndAsync();
        Assert.Contains("  attachments: 2\n", inspect.Output, StringComparison.Ordinal);
        Assert.Contains("  guestFaults: 0\n", inspect.Output, StringComparison.Ordinal);
    }

    private string Topology()
    {
        var path = Path.Combine(_folder, "topology.json");
        File.WriteAllText(path, """
            {
              "vms": {
                "web": {
                  "nics": {
                    "eth0": {
                      "device": { "kind": "virtio", "socket": "web.sock" },
                      "endpoint": { "kind": "consomme", "hostLoopback": true, "dns": { "records": [{ "name": "here.test", "value": "10.0.2.2" }] } }
                    }
                  }
                }
              }
            }
            """);
        return path;
    }
}
