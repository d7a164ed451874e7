using System.Diagnostics;
using NicHost.Host.Tests.Commands;

namespace NicHost.Host.Tests.Completion;

/// <summary>A host that runs, a folder with files, and <c>nichost</c> in the PATH of shells: what a user's completion asks.</summary>
public sealed class ShellHost : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-shell-").FullName;
    private HostProcess? _host;

    private string Work => Path.Combine(_folder, "work");

    private string Control => Path.Combine(_folder, "control.sock");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Path.Combine(Work, "vms of mine"));
        File.WriteAllText(Path.Combine(Work, "topology.json"), """
            { "vms": {
              "web": { "nics": { "eth0": { "device": { "kind": "virtio", "socket": "a.sock" }, "endpoint": { "kind": "null" } },
                                 "eth1": { "device": { "kind": "virtio", "socket": "b.sock" }, "endpoint": { "kind": "null" } } } },
              "db": { "nics": { "eth0": { "device": { "kind": "virtio", "socket": "c.sock" }, "endpoint": { "kind": "null" } } } } } }
            """);
        foreach (var name in new[] { "tools.txt", "vms of mine/db.json", "vms of mine/.hidden.json" }) File.WriteAllText(Path.Combine(Work, name), "{}");
        var program = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "bin")).FullName, "nichost");
        File.WriteAllText(program, $"#!/bin/sh\nexec dotnet '{Repository.File($"artifacts/bin/Host/{Repository.Configuration}/nichost.dll")}' \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _host = HostProcess.Start("run", Path.Combine(Work, "topology.json"), "--control", Control);
        await _host.ReadyAsync();
    }

    public async Task DisposeAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Runs a shell in the folder with the files.</summary>
    /// <returns>The lines that it prints.</returns>
    public async Task<string[]> RunAsync(string shell, params string[] arguments)
    {
        var start = new ProcessStartInfo(shell, arguments) { WorkingDirectory = Work, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["PATH"] = $"{Path.Combine(_folder, "bin")}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["NICHOST_CONTROL"] = Control;
        start.Environment["HOME"] = _folder;
        start.Environment["TERM"] = "dumb";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(Limit);
        try { await process.WaitForExitAsync(limit.Token); }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{shell} does not end: {await errors}");
        }
        Assert.True(process.ExitCode == 0, $"{shell}: {await errors}");
        return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
