using System.Diagnostics;
using System.Globalization;
using System.Text;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Guests;

/// <summary>
/// A booted guest. Its init serves scripts from a tty that is the VMM's standard input and output
/// (tests/Guests/guest/init); the kernel's console goes to a file.
/// </summary>
internal abstract class Guest : IAsyncDisposable
{
    private static readonly TimeSpan s_bootLimit = TimeSpan.FromSeconds(60);
    private readonly SemaphoreSlim _turn = new(1);
    private Process? _vmm;
    private int _commands;

    private readonly Netns _where;

    protected Guest(Netns where, string folder)
    {
        _where = where;
        Folder = Directory.CreateDirectory(folder).FullName;
    }

    protected string Folder { get; }

    protected string ConsoleLog => Path.Combine(Folder, "console.log");

    private string VmmLog => Path.Combine(Folder, "vmm.log");

    /// <summary>What the guest's init said when it was ready: kernel release and seconds since its boot.</summary>
    public string Ready { get; private set; } = "";

    protected abstract IEnumerable<string> Command();

    public async Task BootAsync()
    {
        // In the lab, so that what a killed test run leaves behind can be found there (NetnsLab.RemoveStale).
        var start = new ProcessStartInfo("ip", ["netns", "exec", _where.Name, .. Command()]);
        // UML keeps the guest's memory in a file there, and the back-end maps it.
        start.Environment["TMPDIR"] = "/dev/shm";
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardInputEncoding = start.StandardOutputEncoding = Encoding.Latin1;
        _vmm = Process.Start(start) ?? throw new GuestException($"ip netns exec did not start");
        _ = CopyAsync(_vmm.StandardError, VmmLog);
        using var limit = new CancellationTokenSource(s_bootLimit);
        while (true)
        {
            var line = await ReadLineAsync("boot", limit.Token);
            if (!line.StartsWith("@@READY ", StringComparison.Ordinal))
                continue;
            Ready = line[8..].TrimEnd();
            return;
        }
    }

    /// <summary>Runs a shell script in the guest. Scripts run one after the other; use <c>&amp;</c> and <c>wait</c> inside.</summary>
    public async Task<GuestResult> RunAsync(string script, int seconds = 30)
    {
        await _turn.WaitAsync();
        try
        {
            var id = (++_commands).ToString(CultureInfo.InvariantCulture);
            var vmm = _vmm ?? throw new GuestException("the guest is not booted");
            // The guest's own limit ends a script; this one is for a guest that does not answer at all.
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds + 20));
            await vmm.StandardInput.WriteAsync($"{id} {seconds} {Convert.ToBase64String(Encoding.UTF8.GetBytes(script))}\n".AsMemory(), limit.Token);
            await vmm.StandardInput.FlushAsync(limit.Token);
            var output = new StringBuilder();
            while (true)
            {
                var line = await ReadLineAsync(script, limit.Token);
                if (line.StartsWith($"@@END {id} ", StringComparison.Ordinal))
                    return new GuestResult(script, int.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture), output.ToString().TrimEnd('\n'));
                output.Append(line).Append('\n');
            }
        }
        catch (IOException e)
        {
            throw new GuestException($"the VMM is gone ({e.Message}) at: {script}\n{Diagnosis()}");
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Runs a script that must end with status 0 and returns what it printed.</summary>
    public async Task<string> MustAsync(string script, int seconds = 30) => (await RunAsync(script, seconds)).Succeeded().Output;

    /// <summary>Ends the VMM as a crash would: SIGKILL, no farewell on its sockets.</summary>
    public virtual async Task KillAsync()
    {
        if (_vmm is null)
            return;
        try
        {
            _vmm.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself.
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await _vmm.WaitForExitAsync(limit.Token);
        _vmm.Dispose();
        _vmm = null;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _turn.Dispose();
    }

    /// <summary>The last lines of the kernel's console and of the VMM's messages.</summary>
    public virtual string Diagnosis() => $"--- console\n{Tail(ConsoleLog)}\n--- VMM\n{Tail(VmmLog)}";

    private async Task<string> ReadLineAsync(string what, CancellationToken limit)
    {
        try
        {
            return await _vmm!.StandardOutput.ReadLineAsync(limit) ?? throw new GuestException($"the VMM ended during: {what}\n{Diagnosis()}");
        }
        catch (OperationCanceledException)
        {
            throw new GuestException($"the guest does not answer, at: {what}\n{Diagnosis()}");
        }
    }

    private static async Task CopyAsync(StreamReader from, string path)
    {
        await using var file = new StreamWriter(path, append: true) { AutoFlush = true };
        while (await from.ReadLineAsync() is { } line)
            await file.WriteLineAsync(line);
    }

    private static string Tail(string path)
    {
        if (!File.Exists(path))
            return "(none)";
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return string.Join('\n', reader.ReadToEnd().Split('\n').TakeLast(30));
    }
}
