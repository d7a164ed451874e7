using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using NicHost.Linux;

namespace NicHost.Host.Tests.Commands;

/// <summary>The host under a service manager: a socket of the test's own takes what it says.</summary>
public sealed partial class ServiceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-service-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Service_manager_hears_of_start_reload_life_and_stop(bool isAbstract)
    {
        var name = isAbstract ? $"@nichost-test-{Guid.NewGuid():N}" : Path.Combine(_folder, "notify.sock");
        using var manager = new FakeManager(name);
        Topology("a");
        await using var host = HostProcess.StartWith([$"NOTIFY_SOCKET={name}", "WATCHDOG_USEC=400000"],
            "run", Path.Combine(_folder, "topology.json"), "--no-watch", "--control", Path.Combine(_folder, "control.sock"));
        Assert.Equal("READY=1\nSTATUS=1 of 1 NICs run, 0 attached", await manager.NextAsync());
        Assert.Equal("WATCHDOG=1", await manager.NextAsync());

        Topology("a", "b");
        await ReloadAsync("READY=1\nSTATUS=2 of 2 NICs run, 0 attached");

        await File.WriteAllTextAsync(Path.Combine(_folder, "topology.json"), "{ \"vms\": 1 }");
        await ReloadAsync("READY=1\nSTATUS=The topology has faults and was not applied. 2 of 2 NICs run, 0 attached");

        host.Signal("TERM");
        Assert.Equal("STOPPING=1\nSTATUS=Stopping", await manager.NextAsync(but: "WATCHDOG=1"));
        Assert.Equal(0, await host.EndAsync());

        async Task ReloadAsync(string expected)
        {
            var before = ThisProcess.MonotonicNanoseconds / 1000;
            host.Signal("HUP");
            var reloading = await manager.NextAsync(but: "WATCHDOG=1");
            var match = Reloading().Match(reloading);
            Assert.True(match.Success, reloading);
            Assert.InRange(long.Parse(match.Groups[1].Value), before, ThisProcess.MonotonicNanoseconds / 1000);
            Assert.Equal(expected, await manager.NextAsync(but: "WATCHDOG=1"));
        }
    }

    [Fact]
    public async Task Service_manager_that_does_not_listen_is_told_of_once()
    {
        Topology("a");
        await using var host = HostProcess.StartWith([$"NOTIFY_SOCKET={_folder}/nobody", "WATCHDOG_USEC=100000"],
            "run", Path.Combine(_folder, "topology.json"), "--no-watch", "--control", Path.Combine(_folder, "control.sock"));
        await host.ReadyAsync();
        await host.LoggedAsync("The service manager cannot be told");
        host.Signal("TERM");
        Assert.Equal(0, await host.EndAsync());
        Assert.Single(host.Errors.Split('\n'), line => line.Contains("The service manager cannot be told", StringComparison.Ordinal));
    }

    [ProgramFact("systemd-analyze")]
    public async Task Unit_is_one_that_systemd_understands()
    {
        var unit = await File.ReadAllTextAsync(Repository.File("host/systemd/nichost.service"));
        Assert.Contains("\nType=notify-reload\n", unit, StringComparison.Ordinal);
        Assert.Contains("\nExecStart=/usr/lib/nichost/nichost run ", unit, StringComparison.Ordinal);
        // The program is not installed here.
        await File.WriteAllTextAsync(Path.Combine(_folder, "nichost.service"), unit.Replace("/usr/lib/nichost/nichost", "/bin/true", StringComparison.Ordinal));
        var dropIns = Directory.CreateDirectory(Path.Combine(_folder, "nichost.service.d")).FullName;
        File.Copy(Repository.File("host/systemd/nichost-systemd-252.conf"), Path.Combine(dropIns, "10.conf"));
        var (code, output) = await RunAsync("systemd-analyze", "verify", "--man=no", Path.Combine(_folder, "nichost.service"));
        // What the drop-in is for: this one may be older than the type.
        var complaints = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.EndsWith("Failed to parse service type, ignoring: notify-reload", StringComparison.Ordinal));
        Assert.Empty(complaints);
        Assert.Equal(0, code);
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(output));
    }

    private void Topology(params string[] nics) => File.WriteAllText(Path.Combine(_folder, "topology.json"), $$"""
        { "vms": { "vm": { "nics": { {{string.Join(", ", nics.Select(nic => $$"""
            "{{nic}}": { "device": { "kind": "virtio", "socket": "{{nic}}.sock" }, "endpoint": { "kind": "null" } }
            """))}} } } } }
        """);

    [GeneratedRegex("^RELOADING=1\nMONOTONIC_USEC=([0-9]+)\nSTATUS=Reading the topology$")]
    private static partial Regex Reloading();

    /// <summary>The other end of NOTIFY_SOCKET.</summary>
    private sealed class FakeManager : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

        public FakeManager(string name) => _socket.Bind(new UnixDomainSocketEndPoint(name[0] == '@' ? "\0" + name[1..] : name));

        public async Task<string> NextAsync(string? but = null)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            var buffer = new byte[4096];
            while (true)
            {
                var text = Encoding.UTF8.GetString(buffer, 0, await _socket.ReceiveAsync(buffer, limit.Token));
                if (text != but) return text;
            }
        }

        public void Dispose() => _socket.Dispose();
    }
}
