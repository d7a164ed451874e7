using NicHost.Packages.Tests.Rig;
using NicHost.Testing.Snapshots;

namespace NicHost.Packages.Tests.Snapshots;

public sealed class TopologySnapshotTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-snapshot-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Several_files_with_variables_are_one_text()
    {
        Write("base.json", """{ "include": ["vms"], "defaults": { "nic": { "mtu": "${number:SNAPSHOT_MTU}" } } }""");
        Write("vms/a.json", """{ "vms": { "a": { "nics": { "n": { "device": { "kind": "virtio", "socket": "a.sock" }, "endpoint": { "kind": "null" } } } } } }""");
        var text = await ResolveAsync(["base.json"], new Dictionary<string, string?> { ["SNAPSHOT_MTU"] = "9000" });
        Assert.StartsWith("host\n", text, StringComparison.Ordinal);
        Assert.Contains("  mtu: 9000\n", text, StringComparison.Ordinal);
        var fault = await Assert.ThrowsAsync<SnapshotException>(() => ResolveAsync(["base.json"], []));
        Assert.Contains("SNAPSHOT_MTU", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_that_is_not_there_is_named_with_the_remedy()
    {
        var fault = await Assert.ThrowsAsync<SnapshotException>(() => TopologySnapshot.ResolveAsync(["a.json"], new() { Host = Path.Combine(_folder, "none") }));
        Assert.Contains("There is no host at ", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Set NICHOST to ", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_that_ends_in_another_way_is_told_with_its_words()
    {
        var host = Path.Combine(_folder, "nichost");
        File.WriteAllText(host, "#!/bin/sh\necho \"no such command: $1\" >&2\nexit 2\n");
        File.SetUnixFileMode(host, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var fault = await Assert.ThrowsAsync<SnapshotException>(() => TopologySnapshot.ResolveAsync(["a.json"], new() { Host = _folder }));
        Assert.Contains("ended with 2:\n\nno such command: resolve", fault.Message, StringComparison.Ordinal);
    }

    private Task<string> ResolveAsync(string[] files, Dictionary<string, string?> environment) => TopologySnapshot.ResolveAsync(
        [.. files.Select(file => Path.Combine(_folder, file))],
        new() { Host = Repository.Output("bin", "Host"), PluginRoots = [Repository.Output("plugins")], Environment = environment });

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, name))!);
        File.WriteAllText(Path.Combine(_folder, name), text);
    }
}
