using System.Diagnostics;
using System.Text;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Backends;

/// <summary>
/// The process that serves the guest's NIC, run in the lab's host namespace with every capability dropped, unless a test is about
/// those: what it does, it does as any user could.
/// </summary>
internal abstract class Backend(IHostWorld lab, string name) : IAsyncDisposable
{
    private readonly StringBuilder _log = new();
    private Process? _process;

    protected IHostWorld Lab { get; } = lab;

    protected string Folder { get; } = Directory.CreateDirectory(Path.Combine(lab.Folder, name)).FullName;

    public abstract NicPlug Plug { get; }

    /// <summary>Everything that the process printed.</summary>
    public string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>The state of the running process, as text, if it can tell.</summary>
    public virtual string Inspect() => "";

    protected abstract IEnumerable<string> Command();

    /// <summary>Whether it keeps its capabilities.</summary>
    protected virtual bool MayConfigure => false;

    protected virtual bool IsReady => File.Exists(Plug.Socket);

    /// <summary>Starts the process and waits until its sockets are there.</summary>
    public async Task StartAsync()
    {
        string[] rights = MayConfigure ? [] : ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"];
        string[] arguments = ["netns", "exec", Lab.Host.Name, .. rights, .. Command()];
        var start = new ProcessStartInfo("ip", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, e) => Append(e.Data);
        _process.ErrorDataReceived += (_, e) => Append(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Wait.UntilAsync(() => IsReady || !IsRunning, TimeSpan.FromSeconds(30), () => $"{Plug.Socket} does not appear:\n{Log}");
        if (!IsRunning)
            throw new InvalidOperationException($"the backend ended with {_process.ExitCode}:\n{Log}");
    }

    public void Signal(int signal) => Native.Signal(_process!.Id, signal);

    /// <summary>Waits for the end of the process and returns its exit code.</summary>
    public async Task<int> ExitAsync(TimeSpan limit)
    {
        using var source = new CancellationTokenSource(limit);
        try
        {
            await _process!.WaitForExitAsync(source.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"the backend still runs {limit.TotalSeconds} s after it was told to stop:\n{Log}");
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null)
            return;
        if (IsRunning)
        {
            _process.Kill(entireProcessTree: true);
            await ExitAsync(TimeSpan.FromSeconds(10));
        }

        _process.Dispose();
        _process = null;
    }

    private void Append(string? line)
    {
        if (line is null)
            return;
        lock (_log)
            _log.AppendLine(line);
    }
}
