using System.Diagnostics;
using System.Text;

namespace NicHost.Packages.Tests.Rig;

/// <summary>The tests' guest image under QEMU, in software emulation, with the NIC that the host's own hint describes.</summary>
internal sealed class QemuGuest : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(240);

    private readonly Process _qemu;

    private QemuGuest(Process qemu) => _qemu = qemu;

    /// <summary>Whether real guests are wanted: <c>./test</c> says so.</summary>
    public static bool IsWanted { get; } = Environment.GetEnvironmentVariable("NICHOST_REAL_GUESTS") == "1";

    /// <summary>Boots it, until it takes commands.</summary>
    /// <param name="hint">The arguments that the host prints for QEMU.</param>
    public static async Task<QemuGuest> BootAsync(string hint, string folder)
    {
        await using var build = Command.Start(Repository.PathOf("tests/Guests/build-image.sh") + " qemu", folder, AuthorEnvironment.Quiet);
        Assert.True(await build.EndAsync() == 0, build.Output);
        var kernel = Directory.GetFiles("/boot", "vmlinuz-*-cloud-amd64").Order(StringComparer.Ordinal).Last();
        string[] arguments =
        [
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-accel", "tcg", "-cpu", "max,la57=off", "-machine", "q35", "-m", "640",
            "-serial", $"file:{Path.Combine(folder, "console.log")}", "-chardev", "stdio,id=tty,signal=off", "-serial", "chardev:tty",
            "-kernel", kernel, "-initrd", build.Output.Trim(),
            "-append", "console=ttyS0 quiet panic=-1 reboot=t mitigations=off tsc=nowatchdog random.trust_cpu=on net.ifnames=0 nichost.tty=ttyS1",
            .. hint.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        ];
        var start = new ProcessStartInfo("qemu-system-x86_64", arguments) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true };
        var guest = new QemuGuest(Process.Start(start)!);
        await guest.UntilAsync("@@READY");
        return guest;
    }

    /// <summary>Runs a shell script in the guest; it has to end well.</summary>
    /// <returns>What it prints.</returns>
    public async Task<string> RunAsync(string script)
    {
        await _qemu.StandardInput.WriteAsync($"1 120 {Convert.ToBase64String(Encoding.UTF8.GetBytes(script))}\n");
        await _qemu.StandardInput.FlushAsync();
        var (output, end) = await UntilAsync("@@END");
        Assert.True(end.Trim() == "@@END 1 0", $"{script}\n{output}{end}");
        return output;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_qemu.HasExited) _qemu.Kill();
        await _qemu.WaitForExitAsync();
        _qemu.Dispose();
    }

    private async Task<(string Before, string Line)> UntilAsync(string mark)
    {
        using var limit = new CancellationTokenSource(Limit);
        var before = new StringBuilder();
        while (await _qemu.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith(mark, StringComparison.Ordinal)) return (before.ToString(), line);
            before.Append(line).Append('\n');
        }
        throw new IOException($"QEMU ended before it said {mark}.\n{before}");
    }
}

/// <summary>A test that boots a guest: runs where NICHOST_REAL_GUESTS=1, as ./test sets it; elsewhere it is skipped.</summary>
internal sealed class RealGuestFactAttribute : FactAttribute
{
    public RealGuestFactAttribute() => Skip = QemuGuest.IsWanted ? null : "boots a real guest: run ./test, or set NICHOST_REAL_GUESTS=1";
}
